/** How the sources of a project that is there already have to be written. */
export interface SourceStyle {
  /** Without `await` at the top of a module: CommonJS has none, and a compiler may be set to refuse it. */
  inMain: boolean;
  /** What follows the name of a module in an import. */
  extension: '.ts' | '.js';
}

/** A template's TypeScript, in the style of the project that it goes to. */
export function adaptSource(path: string, text: string, style: SourceStyle): string {
  if (!path.endsWith('.ts')) return text;
  const imported =
    style.extension === '.ts' ? text : text.replaceAll(/(from '\.{1,2}\/[\w./-]+)\.ts'/g, `$1${style.extension}'`);
  return style.inMain && /^(?:const \w+ = )?await /m.test(imported) ? wrapInMain(imported) : imported;
}

/** The imports, an empty line, and the program: so is every worker of a template written. */
function wrapInMain(text: string): string {
  const end = text.indexOf('\n\n');
  const program = text
    .slice(end + 2)
    .trimEnd()
    .split('\n');
  const body = program.map((line) => (line === '' ? '' : `  ${line}`)).join('\n');
  return `${text.slice(0, end)}\n\nasync function main(): Promise<void> {\n${body}\n}\n\nvoid main();\n`;
}
