import type { Provenance } from '../target';

/** A container image reference taken apart, with Docker's defaults filled in. */
export interface ImageName {
  registry: string;
  repository: string;
  tag: string | undefined;
}

/** Reads `longhornio/longhorn-manager:v1.9.1`, `quay.io/argoproj/argocd:v3.2.0@sha256:...` and the like. */
export function readImage(reference: string): ImageName {
  const [withoutDigest = ''] = reference.split('@');
  const [, name = '', tag] = /^(.*?)(?::([^/:]+))?$/.exec(withoutDigest) ?? [];
  const [first = '', ...rest] = name.split('/');
  const isRegistry = rest.length > 0 && /[.:]|^localhost$/.test(first);
  const repository = isRegistry ? rest.join('/') : name;
  const registry = isRegistry ? first : 'docker.io';
  const library = registry === 'docker.io' && !repository.includes('/') ? 'library/' : '';
  return { registry, repository: `${library}${repository}`, tag };
}

/** Registries whose pulls a machine sends elsewhere; `*` for all of them. Undefined: nobody could look. */
export type Mirrors = ReadonlySet<string> | undefined;

/** What an image proves about the part that runs from it. */
export interface Proof {
  provenance: Provenance;
  basis: string;
  version: string;
}

/** The version in a tag: `v1.9.1`, `1.21.0`, `v1.34.3-k3s1`. */
const versionTag = /^v?\d+\.\d+(\.\d+)?([-+].+)?$/;

/**
 * Judges a part by its image. A name alone proves nothing: it must be the project's own repository, with a version, and the
 * nodes must pull it from that registry itself, because a mirror may serve anything under the name.
 * @param official repositories of the project, as `registry/repository`.
 */
export function judgeImage(reference: string, official: readonly string[], mirrors: Mirrors): Proof {
  const { registry, repository, tag } = readImage(reference);
  const version = tag ?? 'unknown';
  const unproven = (why: string): Proof => ({ provenance: 'unknown', version, basis: `${reference}: ${why}` });
  if (!official.includes(`${registry}/${repository}`)) return unproven('not the project’s own repository');
  if (tag === undefined || !versionTag.test(tag)) return unproven('its tag names no version');
  if (mirrors === undefined) return unproven('which registry the nodes pull it from could not be read');
  if (mirrors.has(registry) || mirrors.has('*'))
    return unproven(`the nodes pull ${registry} through a mirror, which may serve anything`);
  return { provenance: 'upstream', version, basis: `${reference}, pulled from ${registry} itself` };
}

/** The registries named in what `mirrorScript` printed on a machine. */
export function readMirrors(printed: string): string[] {
  return printed
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => (line === '_default' ? '*' : line));
}

/** Where k3s writes what it makes of registries.yaml. */
const k3sFolder = '/var/lib/rancher/k3s/agent/etc/containerd/certs.d';

/**
 * Prints, one a line, the registries for which containerd on this machine has hosts of its own: of the running containerd's
 * configuration, of k3s and of the usual folder; and the mirrors of k3s' registries.yaml.
 */
export const mirrorScript = [
  String.raw`configurations=$(for pid in $(pidof containerd); do tr '\0' '\n' < /proc/$pid/cmdline | grep -A1 -E '^(--config|-c)$' | tail -n 1; done)`,
  String.raw`folders=$(cat $configurations /dev/null | sed -nE 's/^ *config_path *= *.([^"]+).*/\1/p' | tr ':' '\n')`,
  `for folder in $folders ${k3sFolder} /etc/containerd/certs.d; do ls "$folder" 2> /dev/null; done`,
  String.raw`sed -nE 's/^  "?([^ ":]+(:[0-9]+)?)"?:.*/\1/p' /etc/rancher/k3s/registries.yaml 2> /dev/null`,
  'true',
].join('; ');
