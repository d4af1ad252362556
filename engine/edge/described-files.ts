import { createFileRegistry, fromBinary, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

let loading: Promise<FileRegistry> | undefined;

/** The descriptors of all protos, which are loaded when they are first asked for. */
export function describedFiles(): Promise<FileRegistry> {
  return (loading ??= load());
}

async function load(): Promise<FileRegistry> {
  const { descriptors } = await import('../../proto/gen/descriptors.ts');
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(descriptors, 'base64')));
}
