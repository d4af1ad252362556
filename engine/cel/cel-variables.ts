/** What an expression may read. Kept as JSON, which has a length and goes to another thread as it is; parsed once. */
export class CelVariables {
  readonly #texts: Readonly<Record<string, string>>;
  #values: Record<string, unknown> | undefined;
  /** Characters of all of it. */
  readonly chars: number;

  /** @param texts JSON by name @param values the same, where they are parsed already: of all names or of none */
  constructor(texts: Readonly<Record<string, string>>, values?: Record<string, unknown>) {
    this.#texts = texts;
    this.#values = values;
    let chars = 0;
    for (const name in texts) chars += texts[name]?.length ?? 0;
    this.chars = chars;
  }

  static of(values: Readonly<Record<string, object>>): CelVariables {
    return new CelVariables(Object.fromEntries(Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)])), values);
  }

  get values(): Readonly<Record<string, unknown>> {
    return (this.#values ??= Object.fromEntries(Object.entries(this.#texts).map(([name, text]): [string, unknown] => [name, JSON.parse(text)])));
  }

  /** JSON of a variable; undefined where there is none of the name. */
  text(name: string): string | undefined {
    return Object.hasOwn(this.#texts, name) ? this.#texts[name] : undefined;
  }
}
