// Colorize a photograph at its full size with OpenCV alone: the network's ab, fitted to the photograph's L*.
//
//     g++ -O2 colorize.cpp -o colorize $(pkg-config --cflags --libs opencv4)
//     ./colorize vivid-ab-96.onnx photo.jpg color.jpg
//
// The number in the model's name is what it takes, px. With OpenCV 4.6 (Debian 12) take classic-ab-96 or
// vivid-ab-96; with 4.14 or 5 also unet-ab-256 and fusion-ab-160.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <opencv2/dnn.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <regex>
#include <string>
#include <vector>

using cv::Mat, cv::Size;

// What each of `side` pixels takes of `old` ones, side x old: bicubic and antialiased, which cv::resize has not. The
// network answers to little differences.
static Mat weights(int old, int side) {
    Mat kernel(side, old, CV_32F);
    const double scale = std::max(double(old) / side, 1.0);
    for (int y = 0; y < side; y++) {
        for (int x = 0; x < old; x++) {
            const double far = std::abs(x - ((y + 0.5) * old / side - 0.5)) / scale;
            const double hill = (1.5 * far - 2.5) * far * far + 1, tail = ((2.5 - 0.5 * far) * far - 4) * far + 2;
            kernel.at<float>(y, x) = float(far < 1 ? hill : far < 2 ? tail : 0);
        }
        kernel.row(y) /= cv::sum(kernel.row(y))[0];
    }
    return kernel;
}

static Mat stretched(const Mat& bgr, int side) {
    const Mat down = weights(bgr.rows, side), across = weights(bgr.cols, side).t();
    std::vector<Mat> planes;
    cv::split(bgr, planes);
    for (Mat& plane : planes) {
        plane.convertTo(plane, CV_32F);
        plane = down * Mat(plane * across);
        plane.convertTo(plane, CV_8U);  // rounds, and ends at 0 and 255
    }
    Mat small;
    cv::merge(planes, small);
    return small;
}

// L* in 0..100, float32, of an image with 8 bits: a float image makes OpenCV speak CIE units.
static Mat lightness(const Mat& bgr) {
    Mat scaled, lab, light;
    bgr.convertTo(scaled, CV_32F, 1 / 255.0);
    cv::cvtColor(scaled, lab, cv::COLOR_BGR2Lab);
    cv::extractChannel(lab, light, 0);
    return light;
}

// The mean of 5 x 5 values, of those that lie inside.
static Mat average(const Mat& plane) {
    Mat sums, whole;
    const Size window(5, 5);
    const cv::Point center(-1, -1);
    cv::blur(plane, sums, window, center, cv::BORDER_CONSTANT);
    cv::blur(Mat::ones(plane.size(), CV_32F), whole, window, center, cv::BORDER_CONSTANT);
    return sums / whole;
}

static Mat enlarged(const Mat& plane, Size size) {
    Mat large;
    cv::resize(plane, large, size);
    return large;
}

// One of a and b at the size of `light`, along its edges: as a line of L* in each small window.
static Mat fitted(const Mat& light, const Mat& small, const Mat& chroma) {
    const Mat variance = average(small.mul(small)) - average(small).mul(average(small));
    const Mat covariance = average(chroma.mul(small)) - average(chroma).mul(average(small));
    const Mat slope = covariance / Mat(cv::max(variance, 0) + 30);
    const Mat offset = average(average(chroma) - slope.mul(average(small)));
    return enlarged(average(slope), light.size()).mul(light) + enlarged(offset, light.size());
}

static int colorize(const std::string& model, const std::string& photo, const std::string& result) {
    std::smatch found;
    if (!std::regex_search(model, found, std::regex("-ab-([1-9][0-9]{0,3})\\.onnx$")))
        return std::fprintf(stderr, "%s: its name must end in -ab-NUMBER.onnx\n", model.c_str()), 1;
    const int side = std::stoi(found[1]);
    const Mat bgr = cv::imread(photo, cv::IMREAD_COLOR);
    if (bgr.empty()) return std::fprintf(stderr, "%s: not a photograph that OpenCV can read\n", photo.c_str()), 1;
    const Mat light = lightness(bgr), small = lightness(stretched(bgr, side));

    cv::dnn::Net network = cv::dnn::readNetFromONNX(model);
    network.setInput(cv::dnn::blobFromImage(small), "l");
    Mat ab = network.forward("ab");  // 1 x 2 x side x side
    const Mat a(side, side, CV_32F, ab.ptr<float>(0, 0)), b(side, side, CV_32F, ab.ptr<float>(0, 1));

    Mat color;
    cv::merge(std::vector<Mat>{light, fitted(light, small, a), fitted(light, small, b)}, color);
    cv::cvtColor(color, color, cv::COLOR_Lab2BGR);
    color.convertTo(color, CV_8U, 255);
    if (!cv::imwrite(result, color)) return std::fprintf(stderr, "%s: cannot be written\n", result.c_str()), 1;
    return 0;
}

int main(int count, char** words) {
    if (count != 4) return std::fprintf(stderr, "colorize MODEL PHOTO RESULT\n"), 2;
    try {
        return colorize(words[1], words[2], words[3]);
    } catch (const cv::Exception& error) {
        return std::fprintf(stderr, "OpenCV %s: %s\n", CV_VERSION, error.err.c_str()), 1;
    }
}
