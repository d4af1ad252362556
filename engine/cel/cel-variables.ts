/** What an expression may read. Kept as JSON, which has a length and goes to another thread as it is; parsed once. */
export class CelVariables {
  readonly #texts: Readonly<Record<string, string>>;
  readonly #parsed: Readonly<Record<string, unknown>>;
  #values: Record<string, unknown> | undefined;
  /** Characters of all of it. */
  readonly chars: number;

  /** @param texts JSON by name @param parsed the values of those that are parsed already */
  constructor(texts: Readonly<Record<string, string>>, parsed: Readonly<Record<string, unknown>> = {}) {
    this.#texts = texts;
    this.#parsed = parsed;
    let chars = 0;
    for (const name in texts) chars += texts[name]?.length ?? 0;
    this.chars = chars;
  }

  get values(): Readonly<Record<string, unknown>> {
    return (this.#values ??= Object.fromEntries(
      Object.entries(this.#texts).map(([name, text]): [string, unknown] => [
        name,
        Object.hasOwn(this.#parsed, name) ? this.#parsed[name] : JSON.parse(text),
      ]),
    ));
  }

  /** JSON of a variable; undefined where there is none of the name. */
  text(name: string): string | undefined {
    return Object.hasOwn(this.#texts, name) ? this.#texts[name] : undefined;
  }
}
