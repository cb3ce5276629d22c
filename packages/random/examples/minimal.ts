import { fillUniform, normal, permutation, randomStream } from "@gradlab/random";

const order = permutation(randomStream({ seed: 0, purpose: "data order" }), 6);
const stream = randomStream({ seed: 0, purpose: "attack start", index: 41 }); // of sample 41, in any batch
const noise = fillUniform(stream, new Float32Array(3), -8 / 255, 8 / 255);
const saved = JSON.stringify(stream); // {"seed":0,"purpose":"attack start","index":41,"position":3}

console.log(order.join(" "));
console.log(Array.from(noise, (x) => x.toFixed(4)).join(" "));
console.log(normal(stream) === normal(randomStream(JSON.parse(saved))));
