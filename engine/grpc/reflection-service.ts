import { status } from '@grpc/grpc-js';
import { create, toBinary, type DescFile, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import {
  ServerReflectionService,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from '../../proto/gen/grpc/reflection/v1/reflection.ts';
import { describedFiles } from '../edge/described-files.ts';
import type { Edge } from './edge.ts';
import type { GrpcService } from './grpc-server.ts';
import { serve } from './handlers.ts';

type Answer = ServerReflectionResponse['messageResponse'];

/**
 * Server reflection: grpcurl and its like learn from it which services there are, and their messages. For whoever may read.
 * @param services full names of those that are served
 */
export function reflectionService(edge: Edge, services: readonly string[]): GrpcService {
  return serve(edge, ServerReflectionService, {
    serverReflectionInfo: (call, _caller, fail) => {
      let isOver = false;
      // Each waits for the one before: answers come in the order of the requests.
      let before: Promise<void> = Promise.resolve();
      return {
        handle: (request) => {
          before = before
            .then(async () => {
              const messageResponse = answerOf(request, { files: await describedFiles(), services });
              if (!isOver) call.write({ validHost: request.host, originalRequest: request, messageResponse });
            })
            .catch(fail);
        },
        end: () => {
          isOver = true;
        },
      };
    },
  });
}

function answerOf(
  { messageRequest }: ServerReflectionRequest,
  { files, services }: { files: FileRegistry; services: readonly string[] },
): Answer {
  switch (messageRequest?.$case) {
    case 'listServices':
      return {
        $case: 'listServicesResponse',
        value: { service: services.map((name) => ({ name })) },
      };
    case 'fileByFilename':
      return fileAnswer(files.getFile(messageRequest.value), messageRequest.value);
    case 'fileContainingSymbol':
      return fileAnswer(fileOf(files, messageRequest.value), messageRequest.value);
    case 'allExtensionNumbersOfType':
      // None of the protos extends another.
      return files.getMessage(messageRequest.value) === undefined
        ? unknown(messageRequest.value)
        : {
            $case: 'allExtensionNumbersResponse',
            value: { baseTypeName: messageRequest.value, extensionNumber: [] },
          };
    case 'fileContainingExtension':
      return unknown(`${messageRequest.value.containingType} ${messageRequest.value.extensionNumber}`);
    case undefined:
      return {
        $case: 'errorResponse',
        value: { errorCode: status.INVALID_ARGUMENT, errorMessage: 'the request asks for nothing' },
      };
  }
}

/** The file of a service, a method of one, a message or an enum. */
function fileOf(files: FileRegistry, symbol: string): DescFile | undefined {
  const found = files.get(symbol) ?? files.getService(symbol.slice(0, Math.max(0, symbol.lastIndexOf('.'))));
  return found?.file;
}

function fileAnswer(file: DescFile | undefined, what: string): Answer {
  if (file === undefined) return unknown(what);
  const all = new Map<string, DescFile>();
  const add = (each: DescFile): void => {
    if (all.has(each.name)) return;
    all.set(each.name, each);
    each.dependencies.forEach(add);
  };
  add(file);
  return {
    $case: 'fileDescriptorResponse',
    value: {
      fileDescriptorProto: [...all.values()].map(({ proto }) =>
        Buffer.from(toBinary(FileDescriptorProtoSchema, create(FileDescriptorProtoSchema, proto))),
      ),
    },
  };
}

function unknown(what: string): Answer {
  return {
    $case: 'errorResponse',
    value: { errorCode: status.NOT_FOUND, errorMessage: `there is no ${what.slice(0, 200)}` },
  };
}
