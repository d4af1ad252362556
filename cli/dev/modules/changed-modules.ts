/**
 * The files of which a worker has another version, by the hashes of two builds: changed, new or gone.
 * @param fresh loaded by a worker on its own since the last build, which is no change
 */
export function changedModules(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
  fresh: ReadonlySet<string>,
): string[] {
  const changed = [...now].filter(
    ([file, hash]) => before.get(file) !== hash && !(fresh.has(file) && !before.has(file)),
  );
  return [...changed.map(([file]) => file), ...[...before.keys()].filter((file) => !now.has(file))];
}
