import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

const candidates = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

/** WebGPU and WebGL on SwiftShader, which comes with Chromium and needs no GPU. */
const softwareGpu = [
  "--enable-features=Vulkan",
  "--enable-unsafe-swiftshader",
  "--enable-unsafe-webgpu",
  "--use-angle=swiftshader",
  "--use-webgpu-adapter=swiftshader",
];

/** Chromium of this machine; a machine without one fails the test instead of passing it by. */
async function launch(gpu: boolean): Promise<Browser> {
  const executablePath = candidates.find((path) => path !== undefined && path !== "" && existsSync(path));
  if (executablePath === undefined) {
    throw new Error(`no Chromium found (looked at ${candidates.slice(1).join(", ")}); set CHROMIUM to one`);
  }
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      ...(gpu ? softwareGpu : ["--disable-gpu"]),
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export interface OpenPageOptions {
  /** Sends the headers that threads in WASM need. */
  readonly isolated?: boolean;
  /** What the page is allowed to load and to run, as the header `Content-Security-Policy` says it. */
  readonly policy?: string;
  /** Gives the page WebGPU and WebGL, computed in software. */
  readonly gpu?: boolean;
}

export interface OpenedPage {
  readonly page: Page;
  /** What the page wrote to its console, and errors that it did not catch. */
  readonly messages: readonly string[];
  readonly close: () => Promise<void>;
}

/** Serves a folder on the loopback interface and opens its `index.html`. */
export async function openPage(
  folder: string,
  { isolated = false, policy, gpu = false }: OpenPageOptions,
): Promise<OpenedPage> {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
    const file = join(folder, path === "/" ? "index.html" : path);
    try {
      const body = await readFile(file);
      response.writeHead(200, {
        "content-type": types[extname(file)] ?? "application/octet-stream",
        ...(isolated && {
          "cross-origin-opener-policy": "same-origin",
          "cross-origin-embedder-policy": "require-corp",
        }),
        ...(policy !== undefined && { "content-security-policy": policy }),
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await launch(gpu).catch((error) => {
    server.close();
    throw error;
  });
  const page = await (await browser.newContext()).newPage();
  const messages: string[] = [];
  page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => messages.push(`error: ${error.message}`));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const close = async () => {
    await browser.close();
    server.closeAllConnections();
    server.close();
  };
  return { page, messages, close };
}
