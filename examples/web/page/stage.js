/** The two pictures, one over the other, and the divider between them: pointer, touch and keys. */

const SWEEP = 1100; // ms in which color comes in
const REST = 50; // % where the divider comes to rest

export class Stage {
  constructor(element) {
    this.element = element;
    this.before = element.querySelector("#before");
    this.after = element.querySelector("#after");
    this.range = element.querySelector("#divide");
    this.tags = element.querySelectorAll(".tag");
    this.range.addEventListener("input", () => this.#moveTo(Number(this.range.value)));
    element.addEventListener("pointerdown", (event) => this.#grab(event));
    element.addEventListener("pointermove", (event) => {
      if (element.hasPointerCapture(event.pointerId)) this.#follow(event);
    });
  }

  /** Make room for a picture of this size before there is one. */
  reserve(width, height) {
    this.element.style.setProperty("--width", width);
    this.element.style.setProperty("--height", height);
    for (const canvas of [this.before, this.after]) canvas.width = canvas.height = 1;
    this.range.disabled = true;
  }

  showGrey(picture) {
    draw(this.before, picture);
  }

  showColor(picture) {
    draw(this.after, picture);
  }

  /** Let color come in from the right. */
  reveal() {
    this.range.disabled = false;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.#moveTo(REST);
      return;
    }
    const start = performance.now();
    this.sweep = start;
    const step = (now) => {
      if (this.sweep !== start) return;
      const share = Math.min(1, Math.max(0, (now - start) / SWEEP));
      this.#moveTo(100 - (100 - REST) * (1 - (1 - share) ** 3));
      if (share < 1) requestAnimationFrame(step);
    };
    this.#moveTo(100);
    requestAnimationFrame(step);
  }

  /** Let keys move the divider, without a ring until they do. */
  focus() {
    this.range.focus({ preventScroll: true, focusVisible: false });
  }

  #grab(event) {
    if (this.range.disabled || event.button !== 0) return;
    this.element.setPointerCapture(event.pointerId);
    this.#follow(event);
    this.focus();
    event.preventDefault();
  }

  #follow(event) {
    this.sweep = null;
    const { left, width } = this.element.getBoundingClientRect();
    this.#moveTo(Math.min(100, Math.max(0, ((event.clientX - left) / width) * 100)));
  }

  #moveTo(percent) {
    this.range.value = percent;
    this.range.setAttribute("aria-valuetext", `${Math.round(100 - percent)} % in color`);
    this.element.style.setProperty("--at", `${percent}%`);
    this.tags[0].style.opacity = percent < 16 ? 0 : 1;
    this.tags[1].style.opacity = percent > 84 ? 0 : 1;
  }
}

function draw(canvas, picture) {
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").putImageData(picture, 0, 0);
}
