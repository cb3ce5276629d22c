/** The looks of the report: light and dark by the reader's setting, ink-saving in print. */
export const reportCss = `
:root {
  color-scheme: light dark;
  --paper: #fdfdfc; --card: #ffffff; --ink: #1f2328; --soft: #5b636d; --line: #dfe2e6;
  --good: #1a7f4b; --good-tint: #e3f4ea; --bad: #b3261e; --bad-tint: #fbe4e2; --accent: #3b63c9; --code: #f2f3f5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --card: #1b1f25; --ink: #e6e8eb; --soft: #9aa4b0; --line: #313842;
    --good: #5fd39a; --good-tint: #163326; --bad: #ff8f86; --bad-tint: #43201e; --accent: #8fadff; --code: #232931;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 Inter, system-ui, -apple-system, "Segoe UI", sans-serif;
}
main { max-width: 860px; margin: 0 auto; padding: 48px 24px 64px; }
h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -0.02em; margin: 0 0 8px; }
h2 { font-size: 1.25rem; line-height: 1.3; letter-spacing: -0.01em; margin: 0; }
p { margin: 10px 0; max-width: 68ch; }
a { color: var(--accent); }
.soft { color: var(--soft); }
.verdict { display: flex; align-items: center; gap: 14px; margin: 24px 0; padding: 16px 20px; border-radius: 12px; }
.verdict.good { background: var(--good-tint); }
.verdict.plain { background: var(--code); }
.verdict.bad { background: var(--bad-tint); }
.verdict strong { font-size: 1.1rem; }
.verdict .mark { font-size: 1.6rem; line-height: 1; }
.mark { font-weight: 700; }
.good .mark, td.good { color: var(--good); }
.bad .mark, td.bad { color: var(--bad); }
nav ol { list-style: none; margin: 0 0 32px; padding: 0; border-top: 1px solid var(--line); }
nav li { display: grid; grid-template-columns: 1.4em 1fr auto; gap: 8px; padding: 8px 4px; border-bottom: 1px solid var(--line); }
nav a { color: inherit; text-decoration: none; }
nav a:hover { text-decoration: underline; }
nav span:last-child { color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 24px; margin: 24px 0; }
.id { font: 0.8rem/1.4 ui-monospace, "SF Mono", Menlo, Consolas, monospace; color: var(--soft); }
figure { margin: 24px 0; }
figure .scroll { padding-bottom: 2px; }
figure svg { display: block; max-width: 100%; height: auto; margin: 0 auto; }
figcaption { color: var(--soft); font-size: 0.9rem; margin: 12px auto 0; max-width: 62ch; text-align: center; text-wrap: balance; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 0.8rem; }
th, td { padding: 7px 12px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td:first-child { min-width: 10em; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.list { white-space: normal; }
.tolerance { display: block; color: var(--soft); font-size: 0.85em; }
td.good, td.bad { white-space: nowrap; font-weight: 600; }
details summary { cursor: pointer; color: var(--accent); }
code, pre { font: 0.85rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; background: var(--code); border-radius: 6px; }
code { padding: 2px 5px; }
pre { padding: 12px 14px; overflow-x: auto; margin: 10px 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; font-size: 0.9rem; margin: 12px 0; }
dt { color: var(--soft); }
dd { margin: 0; }
.warnings { border-left: 3px solid #d9a400; padding-left: 14px; margin: 16px 0; }
@media (max-width: 640px) {
  main { padding: 24px 14px; }
  section { padding: 16px; }
  /* Small screens scroll a figure instead of shrinking its text away; a small one stays small. */
  figure svg { min-width: min(540px, var(--own-width)); }
}
@media print {
  :root { color-scheme: light; --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #ccc;
    --good: #1a7f4b; --good-tint: #fff; --bad: #b3261e; --bad-tint: #fff; --accent: #000; --code: #f4f4f4; }
  body { font-size: 11pt; }
  main { max-width: none; padding: 0; }
  section { border: 0; padding: 0; margin: 28px 0; }
  section header, figure, tr { break-inside: avoid; }
  section header, section header + p, summary { break-after: avoid; }
  thead { break-after: avoid; }
  .verdict { border: 1px solid var(--line); }
  figure svg { max-height: 10cm; min-width: 0; width: auto; }
  .scroll { overflow: visible; }
}
`;
