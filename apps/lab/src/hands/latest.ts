/** Does one thing at a time; of those that come meanwhile only the newest. */
export class Latest {
  private next: (() => Promise<void>) | null = null;
  private isBusy = false;

  async do(work: () => Promise<void>): Promise<void> {
    this.next = work;
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      while (this.next !== null) {
        const now: () => Promise<void> = this.next;
        this.next = null;
        await now();
      }
    } finally {
      this.isBusy = false;
    }
  }
}
