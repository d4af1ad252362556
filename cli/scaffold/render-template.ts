import type { TemplateFile } from './find-template.ts';

export interface TemplateValues {
  /** npm name of the new project. */
  name: string;
  /** What package.json asks for: a version, or a `file:` path. */
  hatchet: string;
}

/** A template with its placeholders filled. Names that npm would not pack, such as `.gitignore`, begin with `_` in the template. */
export function renderTemplate(files: readonly TemplateFile[], values: TemplateValues): readonly TemplateFile[] {
  return files.map(({ path, text }) => {
    const fill = path.endsWith('.json')
      ? (value: string) => JSON.stringify(value).slice(1, -1)
      : (value: string) => value;
    return {
      path: path.replace(/(^|\/)_/, '$1.'),
      text: text.replaceAll('{{name}}', () => fill(values.name)).replaceAll('{{hatchet}}', () => fill(values.hatchet)),
    };
  });
}

/** A folder's name as npm accepts it. */
export function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/^[-._]+|[-._]+$/g, '')
    .slice(0, 200);
  return name === '' || name === 'node_modules' || name === 'hatchet-ts' ? 'hatchet-app' : name;
}
