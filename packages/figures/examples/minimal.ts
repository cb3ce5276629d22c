import { fieldGrowth, svgText } from "@gradlab/figures";
import { JSDOM } from "jsdom"; // in a browser: its own document

const { document } = new JSDOM("").window;
const layers = [3, 5, 6, 10, 14, 16].map((size, i) => ({ name: `layer ${i + 1}`, size }));
const figure = fieldGrowth([{ name: "vgg", layers }], { document });

console.log(svgText(figure).slice(0, 4), figure.getAttribute("aria-label"));
