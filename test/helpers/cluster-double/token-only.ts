import { Metadata } from '@grpc/grpc-js';

/** A cluster reads the token and nothing else. */
export function tokenOnly(metadata: Metadata): Metadata {
  const passed = new Metadata();
  for (const value of metadata.get('authorization')) passed.add('authorization', value);
  return passed;
}
