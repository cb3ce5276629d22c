/** Whether a `model.json` holds a graph of nodes. */
export function isGraphModel(json: unknown): boolean {
  const file = json as { format?: unknown; modelTopology?: { node?: unknown } | null } | null;
  return file?.format === "graph-model" || Array.isArray(file?.modelTopology?.node);
}
