export { installGradients } from "./install-gradients.js";
