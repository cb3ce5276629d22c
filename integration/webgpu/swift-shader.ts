/** Where Debian's `chromium` package puts the manifest of SwiftShader, a Vulkan driver that needs no GPU. */
export const swiftShader = "/usr/lib/chromium/vk_swiftshader_icd.json";
