import { html, type TemplateResult } from "lit";

/** Pixels along a side: what small networks take. */
const size = 28;
const pen = 2.6;

/** A small picture to be drawn, white on black, with a pointer or the arrow keys. */
export class DrawingPad {
  private readonly canvas = document.createElement("canvas");
  private readonly drawn: (isDone: boolean) => void;
  private at: readonly [x: number, y: number] = [size / 2, size / 2];
  private isDown = false;
  isBlank = true;

  /** @param drawn Called for every piece of a stroke, and when it is done. */
  constructor(drawn: (isDone: boolean) => void) {
    this.drawn = drawn;
    this.canvas.width = size;
    this.canvas.height = size;
    this.wipe();
  }

  view(changed: () => void): TemplateResult {
    const [x, y] = this.at;
    const step: Readonly<Record<string, readonly [number, number]>> = {
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
    };
    return html`<div class="pad">
      <div
        class="paper"
        role="application"
        tabindex="0"
        aria-label="Drawing. Arrow keys move the pen, Space puts it down or lifts it."
        style="--x: ${x / size}; --y: ${y / size}"
        data-pen=${this.isDown ? "down" : "up"}
        @pointerdown=${(event: PointerEvent) => {
          (event.currentTarget as Element).setPointerCapture(event.pointerId);
          this.at = this.placeOf(event);
          this.draw([this.at]);
        }}
        @pointermove=${(event: PointerEvent) => {
          if (event.buttons === 0) return;
          this.draw(event.getCoalescedEvents().map((each) => this.placeOf(each)));
        }}
        @pointerup=${() => this.drawn(true)}
        @keydown=${(event: KeyboardEvent) => {
          const move = step[event.key];
          if (move === undefined && event.key !== " ") return;
          event.preventDefault();
          if (move === undefined) this.isDown = !this.isDown;
          const within = (value: number) => Math.min(Math.max(value, 0), size);
          const to = [within(x + (move?.[0] ?? 0)), within(y + (move?.[1] ?? 0))] as const;
          if (this.isDown) this.draw([to]);
          else this.at = to;
          if (move === undefined && !this.isDown) this.drawn(true);
          changed();
        }}
      >
        ${this.canvas}
      </div>
    </div>`;
  }

  clear(): void {
    this.wipe();
    this.isBlank = true;
  }

  async show(picture: Blob): Promise<void> {
    const bitmap = await createImageBitmap(picture);
    const scale = Math.max(size / bitmap.width, size / bitmap.height);
    const [width, height] = [bitmap.width * scale, bitmap.height * scale];
    this.wipe();
    this.context.drawImage(bitmap, (size - width) / 2, (size - height) / 2, width, height);
    bitmap.close();
    this.isBlank = false;
  }

  /** What is drawn, as a PNG of so many pixels. */
  async picture(): Promise<Blob> {
    return new Promise((resolve, reject) => {
      this.canvas.toBlob((blob) =>
        blob === null ? reject(new Error("no picture could be made")) : resolve(blob),
      );
    });
  }

  private get context(): CanvasRenderingContext2D {
    return this.canvas.getContext("2d")!;
  }

  private wipe(): void {
    this.context.fillStyle = "black";
    this.context.fillRect(0, 0, size, size);
  }

  private placeOf({ clientX, clientY }: PointerEvent): readonly [number, number] {
    const box = this.canvas.getBoundingClientRect();
    return [((clientX - box.left) / box.width) * size, ((clientY - box.top) / box.height) * size];
  }

  private draw(places: readonly (readonly [number, number])[]): void {
    const { context } = this;
    context.strokeStyle = "white";
    context.lineWidth = pen;
    context.lineCap = "round";
    context.lineJoin = "round";
    context.beginPath();
    context.moveTo(...this.at);
    for (const place of places) {
      context.lineTo(...place);
      this.at = place;
    }
    context.stroke();
    this.isBlank = false;
    this.drawn(false);
  }
}
