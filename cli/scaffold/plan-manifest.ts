import { insertMembers } from './insert-members.ts';
import { parseManifest, type Manifest } from './manifest.ts';

/** What is not written, and why. */
export interface Left {
  what: string;
  why: string;
}

export interface ManifestPlan {
  text: string;
  /** In words, such as `script dev`. */
  added: readonly string[];
  left: readonly Left[];
}

/**
 * A project's package.json with the scripts and packages that it lacks. Nothing that is in it changes: a script whose name is
 * taken gets the name `hatchet:<name>`, and a package that is asked for already stays at its version.
 * @param wanted scripts and packages of the template that the project needs
 */
export function planManifest(
  text: string,
  project: Manifest,
  wanted: {
    scripts: Readonly<Record<string, string>>;
    dependencies: Readonly<Record<string, string>>;
    devDependencies: Readonly<Record<string, string>>;
  },
): ManifestPlan {
  const left: Left[] = [];
  const scripts: Record<string, string> = {};
  for (const [name, command] of Object.entries(wanted.scripts)) {
    const free = [name, `hatchet:${name}`].find(
      (each) => project.scripts[each] === undefined || project.scripts[each] === command,
    );
    if (free === undefined)
      left.push({
        what: `package.json: scripts ${name} and hatchet:${name}`,
        why: `they are yours; ours would be ${JSON.stringify(command)}`,
      });
    else {
      if (free !== name) left.push({ what: `package.json: script ${name}`, why: `it is yours; ours is ${free}` });
      if (project.scripts[free] === undefined) scripts[free] = command;
    }
  }
  const missing = (packages: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(packages).filter(([name]) => project.packages[name] === undefined));
  for (const [name, version] of Object.entries(wanted.dependencies)) {
    const present = project.packages[name];
    if (present !== undefined && isOlder(present, version))
      left.push({
        what: `package.json: ${name} ${present}`,
        why: `it is yours, and the template is written for ${version}`,
      });
  }
  const insertions = {
    scripts,
    dependencies: missing(wanted.dependencies),
    devDependencies: missing(wanted.devDependencies),
  };
  const added = Object.entries(insertions).flatMap(([part, members]) =>
    Object.keys(members).map(
      (name) =>
        `${part === 'scripts' ? 'script' : part === 'dependencies' ? 'dependency' : 'development dependency'} ${name}`,
    ),
  );
  return { text: insertMembers(text, insertions), added, left };
}

/** By the first number of both, where both have one. */
function isOlder(present: string, wanted: string): boolean {
  const [a, b] = [present, wanted].map((range) => /^[\^~>=v\s]*(\d+)/.exec(range)?.[1]);
  return a !== undefined && b !== undefined && Number(a) < Number(b);
}

/** What a template's own package.json asks for. */
export function templateManifest(text: string): {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
} {
  parseManifest(text, 'package.json');
  const {
    scripts = {},
    dependencies = {},
    devDependencies = {},
  }: Partial<Record<'scripts' | 'dependencies' | 'devDependencies', Record<string, string>>> = JSON.parse(text);
  return { scripts, dependencies, devDependencies };
}
