/** Sets environment variables that are not set; returns how to take them back. */
export function setEnvironment(values: Readonly<Record<string, string>>): () => void {
  const names = Object.keys(values).filter((name) => process.env[name] === undefined);
  for (const name of names) process.env[name] = values[name]!;
  return () => {
    for (const name of names) {
      if (process.env[name] === values[name]) delete process.env[name];
    }
  };
}
