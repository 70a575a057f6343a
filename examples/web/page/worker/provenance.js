/** Where colors come from, said in the metadata of a result and never in its pixels: what `tintype` says too. */

const IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
const RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

/** Return an XMP packet: the IPTC's properties for what a model made. */
export function packet({ name, version }) {
  const said = { DigitalSourceType: SOURCE, AISystemUsed: `Tintype, model ${name}`, AISystemVersionUsed: version };
  const properties = Object.entries(said).map(([key, value]) => `<Iptc4xmpExt:${key}>${value}</Iptc4xmpExt:${key}>`);
  return [
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>',
    `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="${RDF}">`,
    `<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="${IPTC}">${properties.join("")}</rdf:Description>`,
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>',
  ].join("\n");
}
