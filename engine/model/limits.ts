/** Bytes of one payload: input, output, metadata. */
export const maxPayloadBytes = 4 * 1024 * 1024;
/** Characters of JSON that are parsed on the main thread, in 0.6 ms; what is longer goes to a thread. */
export const longestInline = 128 * 1024;
/** Characters of all payloads that one call stores: an event's counts once for each run that it starts. */
export const maxCommandChars = 64 * 1024 * 1024;
/** Runs that one bulk call may trigger. */
export const maxBulkTriggers = 1000;
/** Tasks that one bulk call may make, over all its runs. */
export const maxBulkTasks = 20_000;
/** Characters of one log line. */
export const maxLogChars = 10_000;
/** Characters of what stands beside a log line. */
export const maxLogMetadataChars = 64 * 1024;
/** Members of one batch. */
export const maxBatchSize = 10_000;
/** Bytes of a batch's payload at which it goes: SDKs take no message over 4 MiB. */
export const maxBatchBytes = 4_000_000;
/** Steps of one workflow. */
export const maxSteps = 1000;
/** Bytes of all payloads in one page of a list; what is beyond is left out and marked. */
export const maxPageBytes = 16 * 1024 * 1024;
/** The same for one run with its tasks: a message of 64 MiB has room for what is around them, and for metadata once more. */
export const maxRunBytes = 56 * 1024 * 1024;
