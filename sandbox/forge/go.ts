import { run, type CommandResult } from '../../support/command';
import { OperatorError } from '../../support/failure';
import { fetchableGo, fetchGo, goFolders } from './go-toolchain';
import { hostArchitecture, type Architecture } from './store';

/** The newest Go that a component asks for (OpenTofu's go.mod). */
export const requiredGo = '1.26.6';

/** Where Go keeps compiled packages and modules. */
export interface GoCaches {
  build: string;
  modules: string;
}

export interface GoOptions {
  cwd?: string;
  caches?: GoCaches;
  architecture?: Architecture;
  /** Present: build with cgo and this compiler. */
  cCompiler?: string | undefined;
  signal?: AbortSignal | undefined;
  onLine?: (line: string) => void;
  allowFailure?: boolean;
}

/** A cold build of the largest component takes minutes; beyond this it hangs. */
const timeoutMs = 60 * 60_000;

/**
 * Runs `go`. The kernel ends it when this process dies (setpriv of util-linux), so that a killed forge leaves no build behind.
 * The caller's own Go settings that would change what is built are not passed on.
 */
export async function go(args: readonly string[], options: GoOptions = {}): Promise<CommandResult> {
  return run('setpriv', ['--pdeathsig', 'KILL', 'go', ...args], {
    timeoutMs,
    env: {
      PATH: [process.env['PATH'] ?? '', ...goFolders].join(':'),
      GOTOOLCHAIN: 'local',
      GOFLAGS: '-modcacherw -buildvcs=false',
      GOWORK: 'off',
      GOOS: 'linux',
      ...(options.architecture === undefined ? {} : { GOARCH: options.architecture }),
      CGO_ENABLED: options.cCompiler === undefined ? '0' : '1',
      ...(options.cCompiler === undefined ? {} : { CC: options.cCompiler, CGO_CFLAGS: '-O2' }),
      ...(options.caches === undefined ? {} : { GOCACHE: options.caches.build, GOMODCACHE: options.caches.modules }),
    },
    allowFailure: options.allowFailure ?? false,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
  });
}

/** The version of the Go on this machine ("1.26.8"), or undefined when there is none. */
export async function goVersion(): Promise<string | undefined> {
  try {
    return /\bgo(\d+\.\d+(?:\.\d+)?)/.exec((await go(['version'])).stdout)?.[1];
  } catch {
    return undefined;
  }
}

/** Whether version `left` is at least `right`; both are dotted numbers. */
export function isAtLeast(left: string, right: string): boolean {
  const [a, b] = [left, right].map((version) => version.split('.').map(Number));
  for (const index of [0, 1, 2]) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** How to get a Go that builds everything. */
export const howToGetGo = `let the forge fetch ${fetchableGo} (python3 is needed), install Go ${requiredGo} or newer from https://go.dev/dl (unpack it to /usr/local/go), or carry built components over: npm run lab -- forge --import FILE.`;

/**
 * The version of the Go on this machine; where it has none at all, one is fetched from the module proxy.
 * @throws OperatorError when there is none and none can be had, or it is older than `wanted`.
 */
export async function requireGo(wanted: string = requiredGo): Promise<string> {
  let version = await goVersion();
  if (version === undefined) {
    await fetchGo();
    version = await goVersion();
  }
  if (version === undefined || !isAtLeast(version, wanted)) {
    throw new OperatorError({
      attempted: 'build components with Go',
      expected: `Go ${wanted} or newer on the PATH or in /usr/local/go`,
      seen: version === undefined ? 'no Go' : `Go ${version}`,
      next: howToGetGo,
    });
  }
  return version;
}

/**
 * The C compiler for an architecture: this machine's, or Debian's cross compiler.
 * @throws OperatorError naming the package when it is not installed.
 */
export async function requireCCompiler(architecture: Architecture): Promise<string> {
  const triple = architecture === 'amd64' ? 'x86-64-linux-gnu' : 'aarch64-linux-gnu';
  const own = architecture === hostArchitecture();
  const name = own ? 'gcc' : `${triple.replace('x86-64', 'x86_64')}-gcc`;
  const answer = await run(name, ['--version'], { allowFailure: true });
  if (answer.exitCode === 0) return name;
  throw new OperatorError({
    attempted: `find a C compiler for ${architecture}`,
    expected: `${name} on the PATH`,
    seen: 'none',
    next: `apt-get install -y ${own ? 'gcc' : `gcc-${triple}`} libc6-dev`,
  });
}
