import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { assert } from '../errors.js';

const FILES = ['shoal/v1/receiver.proto', 'shoal/v1/sender.proto'] as const;

/** `proto/` of the package, however deep the build has put this module below it. */
function protoFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'proto', FILES[0]))) {
    const parent = dirname(folder);
    assert(parent !== folder, 'proto/shoal/v1 is missing from the package');
    folder = parent;
  }
  return join(folder, 'proto');
}

/** gRPC server reflection of Shoal's services, from the definitions that the package ships. */
export function reflection(services: readonly string[]): ReflectionService {
  const definitions = loadSync([...FILES], { includeDirs: [protoFolder()] });
  return new ReflectionService(definitions, { services: [...services] });
}
