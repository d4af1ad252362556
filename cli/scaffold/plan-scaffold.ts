import { adaptSource, type SourceStyle } from './adapt-source.ts';
import { addIgnored, addRequirements } from './add-lines.ts';
import type { TemplateFile } from './find-template.ts';
import { parseManifest, type Manifest } from './manifest.ts';
import { planManifest, templateManifest, type Left } from './plan-manifest.ts';
import type { ReadFile } from './project-files.ts';

export interface ScaffoldPlan {
  /** Files with what they shall hold: new ones, and those that get lines or members at their end. package.json comes last. */
  writes: readonly TemplateFile[];
  /** In words, for each of `writes`. */
  added: readonly string[];
  left: readonly Left[];
}

/** Where the sources go when a name in `src` is taken. */
const apart = 'src/hatchet';
/** What npm writes where there are no tests. */
const noTests = /no test specified/;
const isSource = (path: string): boolean => path.startsWith('src/');
const isTest = (path: string): boolean => path.startsWith('test/');
/** What only a new project gets: a project of one's own has a README, or wants one of its own, and the usual entry needs no configuration. */
const forNewAlone = ['README.md', 'hatchet.config.ts'];
const configNames = ['hatchet.config.ts', 'hatchet.config.mjs', 'hatchet.config.js'];

/**
 * What a template adds to a folder, and leaves alone there. It adds files, lines and members; it never changes or takes away
 * what is there. Applied a second time it adds nothing.
 * @param files rendered for this project
 * @throws CliError with exit code 2 for a package.json that cannot be read
 */
export function planScaffold(files: readonly TemplateFile[], read: ReadFile): ScaffoldPlan {
  const text = read('package.json');
  return text === undefined ? planNew(files, read) : new ExistingProject(files, read, text).plan();
}

/** A folder without package.json, whatever else is in it. */
function planNew(files: readonly TemplateFile[], read: ReadFile): ScaffoldPlan {
  const sources = files.filter(({ path }) => isSource(path));
  const base = sources.some((file) => isOther(file, read)) ? apart : 'src';
  return collect(
    files.map((file) => moved(file, base)),
    read,
  );
}

/** A folder with a package.json: a person's project, or one that `hatchet init` has made or added to. */
class ExistingProject {
  readonly #files: readonly TemplateFile[];
  readonly #read: ReadFile;
  readonly #text: string;
  readonly #manifest: Manifest;
  /** The compiler's settings are the template's. */
  readonly #ownTypes: boolean;
  readonly #foreignTypes: boolean;
  readonly #isOurs: boolean;

  constructor(files: readonly TemplateFile[], read: ReadFile, text: string) {
    this.#files = files;
    this.#read = read;
    this.#text = text;
    this.#manifest = parseManifest(text, 'package.json');
    const settings = read('tsconfig.json');
    const template = files.find(({ path }) => path === 'tsconfig.json')?.text;
    this.#foreignTypes = settings !== undefined && settings !== template;
    // JavaScript stays without a compiler: the worker's TypeScript runs as it is. The template's settings are for ES modules.
    this.#ownTypes =
      template !== undefined &&
      !this.#foreignTypes &&
      this.#manifest.isModule &&
      (settings !== undefined || this.#manifest.packages['typescript'] !== undefined);
    this.#isOurs = this.#manifest.packages['hatchet-ts'] !== undefined;
  }

  plan(): ScaffoldPlan {
    const base = this.#base();
    const style = this.#style();
    const why = this.#whyNoTests();
    const wanted = this.#files.filter(
      ({ path }) =>
        !forNewAlone.includes(path) &&
        (path !== 'tsconfig.json' || this.#ownTypes || this.#foreignTypes) &&
        (!isTest(path) || why === undefined),
    );
    const written = collect(
      wanted.map((file) => moved({ path: file.path, text: adaptSource(file.path, file.text, style) }, base)),
      this.#read,
    );
    const config = this.#config(base);
    const left = [
      ...written.left.map((one) => this.#aboutWorker(one, base, written.writes)),
      ...(why === undefined
        ? []
        : this.#files.filter(({ path }) => isTest(path)).map(({ path }) => ({ what: path, why }))),
    ];
    const manifest = planManifest(this.#text, this.#manifest, this.#wanted(why === undefined));
    const changed = manifest.added.length === 0 ? [] : [{ path: 'package.json', text: manifest.text }];
    return {
      writes: [...written.writes, ...config, ...changed],
      added: [
        ...written.added,
        ...config.map(({ path }) => path),
        ...manifest.added.map((what) => `package.json: ${what}`),
      ],
      left: [...left, ...manifest.left],
    };
  }

  /** Where the template's sources are, or go. */
  #base(): string {
    if (this.#isOurs)
      return ['worker.ts', 'worker.py'].some((name) => this.#read(`${apart}/${name}`) !== undefined) ? apart : 'src';
    const style = this.#style();
    const taken = this.#files.some(
      ({ path, text }) => isSource(path) && isOther({ path, text: adaptSource(path, text, style) }, this.#read),
    );
    return taken ? apart : 'src';
  }

  #style(): SourceStyle {
    const settings = this.#foreignTypes ? (this.#read('tsconfig.json') ?? '') : '';
    const namesTs = /^(?!\s*\/\/).*"(?:allowImportingTsExtensions|rewriteRelativeImportExtensions)"\s*:\s*true/m.test(
      settings,
    );
    return {
      inMain: this.#foreignTypes || !this.#manifest.isModule,
      extension: this.#foreignTypes && !namesTs ? '.js' : '.ts',
    };
  }

  #whyNoTests(): string | undefined {
    const { test } = this.#manifest.scripts;
    const ours = templateManifest(this.#manifestOfTemplate()).scripts['test'];
    if (test !== undefined && test !== ours && !noTests.test(test))
      return 'the project has tests of its own, whose runner may not know it';
    if (this.#foreignTypes) return 'your tsconfig.json may not cover it';
    if (!this.#manifest.isModule && this.#files.some(({ path }) => isTest(path) && path.endsWith('.ts')))
      return 'it is an ES module, and the project is CommonJS';
    return undefined;
  }

  #manifestOfTemplate(): string {
    return this.#files.find(({ path }) => path === 'package.json')?.text ?? '{}';
  }

  #wanted(withTests: boolean): ReturnType<typeof templateManifest> {
    const { scripts, dependencies, devDependencies } = templateManifest(this.#manifestOfTemplate());
    const unless = (needed: boolean, ...names: string[]): readonly string[] => (needed ? [] : names);
    const unneeded = new Set([
      ...unless(withTests, 'test', 'pretest', 'tsx'),
      ...unless(this.#ownTypes, 'types', 'typescript'),
      ...unless(this.#ownTypes || this.#foreignTypes, '@types/node'),
    ]);
    const needed = (part: Record<string, string>): Record<string, string> =>
      Object.fromEntries(Object.entries(part).filter(([name]) => !unneeded.has(name)));
    return { scripts: needed(scripts), dependencies: needed(dependencies), devDependencies: needed(devDependencies) };
  }

  /** Only where the worker is not where it is looked for. A module of JavaScript: no compiler asks under which folder it lies. */
  #config(base: string): readonly TemplateFile[] {
    const isNeeded =
      base !== 'src' &&
      this.#files.some(({ path }) => path === 'src/worker.ts') &&
      configNames.every((name) => this.#read(name) === undefined);
    return isNeeded
      ? [
          {
            path: 'hatchet.config.mjs',
            text: `import { defineConfig } from 'hatchet-ts/config';\n\nexport default defineConfig({\n  dev: { entry: '${base}/worker.ts' },\n});\n`,
          },
        ]
      : [];
  }

  /** A worker that stays as it is does not know the tasks that come. */
  #aboutWorker(left: Left, base: string, writes: readonly TemplateFile[]): Left {
    const tasks = writes.map(({ path }) => path).filter((path) => path.startsWith(`${base}/`));
    return left.what.startsWith(`${base}/worker.`) && tasks.length > 0
      ? { what: left.what, why: `it is yours; give its worker what ${tasks.join(', ')} declare` }
      : left;
  }
}

/** The sources in another folder, and whatever names them. */
function moved({ path, text }: TemplateFile, base: string): TemplateFile {
  return base === 'src'
    ? { path, text }
    : {
        path: path.replace(/^src\//, `${base}/`),
        text: text.replaceAll(/(?<=['"`( /]|^)src\/(?=[\w*])/gm, `${base}/`),
      };
}

function isOther({ path, text }: TemplateFile, read: ReadFile): boolean {
  const present = read(path);
  return present !== undefined && present !== text;
}

/** Sorts files into those to write and those to leave. package.json is not among them where it exists. */
function collect(files: readonly TemplateFile[], read: ReadFile): ScaffoldPlan {
  const writes: TemplateFile[] = [];
  const added: string[] = [];
  const left: Left[] = [];
  const last = (file: TemplateFile): number => (file.path === 'package.json' ? 1 : 0);
  for (const file of files.toSorted((a, b) => last(a) - last(b))) {
    const present = read(file.path);
    if (present === undefined) {
      writes.push(file);
      added.push(file.path);
      continue;
    }
    if (present === file.text || file.path === 'package.json') continue;
    const merge =
      file.path === '.gitignore' ? addIgnored : file.path === 'requirements.txt' ? addRequirements : undefined;
    if (merge === undefined) {
      left.push({ what: file.path, why: 'it is yours' });
      continue;
    }
    const merged = merge(present, file.text);
    if (merged.added.length === 0) continue;
    writes.push({ path: file.path, text: merged.text });
    added.push(`${file.path}: ${merged.added.join(', ')}`);
  }
  return { writes, added, left };
}
