import { Lab } from "./lab.js";

const root = document.querySelector<HTMLElement>("#lab");
if (root === null) throw new Error("main: expected an element #lab, got none");
root.replaceChildren();
void new Lab(root).open();
