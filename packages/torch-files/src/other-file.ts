/** What files begin with that are taken for weights, as text or as hexadecimal digits, and what to do with them. */
const texts: readonly (readonly [begin: RegExp, what: string])[] = [
  [/^version https:\/\/git-lfs/, "a Git LFS pointer (git lfs pull brings the file itself)"],
  [/^\s*(<!doctype|<html|<\?xml|<head|<body)/i, "a page of HTML (a download that answered with a page)"],
  [/^GGUF/, "GGUF"],
  [/^.{4}TFL3/s, "TensorFlow Lite"],
  [/^.{257}ustar/s, "a tar archive"],
  [/^\s*[{[]/, "JSON"],
];
const digits: readonly (readonly [begin: RegExp, what: string])[] = [
  [/^1f8b/, "gzip (unpack it with gunzip first)"],
  [/^425a68/, "bzip2 (unpack it first)"],
  [/^fd377a585a/, "xz (unpack it first)"],
  [/^28b52ffd/, "zstd (unpack it first)"],
  [/^894844460d0a/, "HDF5, of Keras"],
  [/^934e554d5059/, "an array of NumPy"],
  [/^080[1-9a-c]12/, "ONNX"],
  [/^800[2-5]/, "a pickle that torch.save has not written"],
];

/** What bytes look like that are no file of `torch.save`; their first ones where that is not known. */
export function otherFile(bytes: Uint8Array): string {
  if (bytes.length === 0) return "no byte";
  const begin = [...bytes.subarray(0, 512)];
  const text = String.fromCharCode(...begin).replace(/^\xef\xbb\xbf/, "");
  const hex = begin.slice(0, 8).map((byte) => byte.toString(16).padStart(2, "0"));
  const known =
    texts.find(([pattern]) => pattern.test(text)) ?? digits.find(([pattern]) => pattern.test(hex.join("")));
  return known?.[1] ?? hex.join(" ");
}
