import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { childEnvironment } from './command';
import { eventually } from './eventually';
import { reason } from './failure';
import { defineUndo, type ReplayableUndo } from './undo';

const folderGone = defineUndo({
  name: 'scratch-folder-gone',
  args: z.object({ folder: z.string().startsWith(join(tmpdir(), 'scratch-')) }),
  needs: [],
  run: ({ folder }) => rm(folder, { recursive: true, force: true }),
});

export interface StartOptions {
  env?: Record<string, string>;
  /** The account it runs as, where it refuses root. */
  user?: string;
}

/** Throwaway servers on loopback, with a folder of their own: they end with this process, however it ends. */
export class ScratchServers {
  private readonly children: ChildProcess[] = [];

  private constructor(readonly folder: string) {}

  /** Makes the folder, which others may enter but not read. */
  static async begin(): Promise<ScratchServers> {
    const folder = await mkdtemp(join(tmpdir(), 'scratch-'));
    await chmod(folder, 0o711);
    return new ScratchServers(folder);
  }

  /** Removes the folder also when this process died; the servers have ended by themselves then. */
  undoOfFolder(): ReplayableUndo {
    return folderGone({ folder: this.folder });
  }

  /** Starts a server in the background. Ask `answers` whether it came. @returns what ends it. */
  start(file: string, args: readonly string[], { env = {}, user }: StartOptions = {}): () => Promise<void> {
    const account = user === undefined ? [] : [`--reuid=${user}`, `--regid=${user}`, '--init-groups'];
    // setpriv replaces itself by the server, so that the signal that ends it reaches it.
    const wrapped =
      process.platform === 'linux'
        ? { program: 'setpriv', rest: [...account, '--pdeathsig', 'KILL', file, ...args] }
        : { program: file, rest: [...args] };
    const child = spawn(wrapped.program, wrapped.rest, { env: childEnvironment(env), stdio: 'ignore' });
    // One that cannot be started never answers; who waits for it hears of that.
    child.once('error', () => undefined);
    this.children.push(child);
    return () => ended(child);
  }

  /** Ends every server and removes the folder. */
  async stop(): Promise<void> {
    await Promise.all(this.children.map(ended));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A port of loopback that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Waits until a question to a server that was started is answered. @throws AwaitTimeout with the last refusal. */
export async function answers(what: string, ask: () => Promise<unknown>): Promise<void> {
  await eventually(
    `${what} answers`,
    async () => {
      const seen = await ask().then(
        () => 'answers',
        (thrown: unknown) => reason(thrown),
      );
      return {
        subject: what,
        status: seen === 'answers' ? 'met' : 'unmet',
        expected: 'answers',
        actual: seen,
        source: 'its port on 127.0.0.1',
      };
    },
    'boot',
  );
}

/** SIGINT is Postgres' fast shutdown; the others end on it as well. */
function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGINT');
  });
}
