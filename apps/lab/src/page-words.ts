/**
 * Help of a study as a page says it: of flags it speaks as fields, and what is of the command line alone (exit codes,
 * keys, files that a command writes) is left out.
 */
export function pageWords(help: string): string {
  return help
    .replace(/\s+/g, " ")
    .replace(/ \((exit code \d|with --out)[^)]*\)/g, "")
    .replace(/; (exit code \d|--out )[^;.]*/g, "")
    .replace(/last\.safetensors of --checkpoint|what --checkpoint has kept/g, "what this page has kept")
    .replace(/ into --checkpoint/g, "")
    .replace(/ below(?=[.,;)]|$)/g, " above")
    .split(/(?<=\.) (?=[A-Z-])/)
    .filter((sentence) => !/^(Ctrl-C |Exit code |--out is )/.test(sentence))
    .join(" ")
    .replace(/--([a-z]+(?:-[a-z]+)*)/g, (_, flag: string) => `“${flag.replaceAll("-", " ")}”`);
}
