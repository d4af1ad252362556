/** A body as it comes in, counted while it is read; undefined, and the rest unread, once it is larger than the limit. */
export async function limitedBody(request: Request, limit: number): Promise<Buffer | undefined> {
  if (request.body === null) return Buffer.alloc(0);
  const reader = request.body.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    size += read.value.length;
    if (size > limit) {
      await reader.cancel();
      return undefined;
    }
    parts.push(read.value);
  }
  return Buffer.concat(parts, size);
}
