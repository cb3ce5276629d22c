export { type Gpt2, type Gpt2Config, gpt2 } from "./weights/gpt2.js";
