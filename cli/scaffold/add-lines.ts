/** Lines that a list of patterns lacks, at its end. A slash at either end makes no difference, and what is taken back with `!` stays so. */
export function addIgnored(text: string, wanted: string): { text: string; added: readonly string[] } {
  const bare = (line: string): string => line.trim().replace(/^\//, '').replace(/\/$/, '');
  const present = new Set(linesOf(text).map(bare));
  return append(
    text,
    linesOf(wanted).filter((line) => !present.has(bare(line)) && !present.has(`!${bare(line)}`)),
  );
}

/** Packages that a requirements.txt lacks, in whichever version it asks for them. */
export function addRequirements(text: string, wanted: string): { text: string; added: readonly string[] } {
  const nameOf = (line: string): string =>
    (/^[\w.-]+/.exec(line.trim())?.[0] ?? '').toLowerCase().replaceAll(/[._-]+/g, '-');
  const present = new Set(linesOf(text).map(nameOf));
  return append(
    text,
    linesOf(wanted).filter((line) => !present.has(nameOf(line))),
  );
}

function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}

function append(text: string, added: readonly string[]): { text: string; added: readonly string[] } {
  if (added.length === 0) return { text, added };
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const before = text === '' || text.endsWith('\n') ? text : text + newline;
  return { text: before + added.map((line) => line + newline).join(''), added };
}
