import { Words } from './words';

/**
 * Takes secrets out of everything a run leaves behind, before it is written. Two nets: values that are known to be secret
 * (read from the sandbox's secrets folder, or registered as soon as they are leased), and shapes that secrets have.
 */

/** Shorter values cannot be told from ordinary words: taking them out would mangle reports and hide nothing. */
const shortestSecret = 6;

const hidden = '[redacted]';

interface Shape {
  pattern: RegExp;
  replacement: string;
}

const secretKey = String.raw`(?:[\w.-]*(?:password|passwd|passphrase|secret[_-]?(?:id|key|access[_-]?key)|token|api[_-]?key|dolapikey|(?:client|private)[_-]key(?:[_-]data)?|unseal[_-]key[\w-]*))`;

/** Shapes of secrets. `$1` is what stays, so that a reader sees what was taken out. */
const shapes: readonly Shape[] = [
  // PEM: also with its line breaks escaped as in JSON, and also cut off before its end.
  {
    pattern: /(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
    replacement: `$1${hidden}`,
  },
  // Vault: service, batch and recovery tokens, and those of Vault before 1.10.
  { pattern: /\b(hv[sbr]\.)[A-Za-z0-9_-]{20,}/g, replacement: `$1${hidden}` },
  { pattern: /\b(s\.)[A-Za-z0-9]{24}\b/g, replacement: `$1${hidden}` },
  // JSON web tokens: header, claims, signature.
  { pattern: /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, replacement: `eyJ${hidden}` },
  // Passwords in URLs.
  { pattern: /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@"']*:)[^\s@/"']+(?=@)/gi, replacement: `$1${hidden}` },
  // HTTP headers.
  { pattern: /\b(authorization["']?\s*[:=]\s*["']?(?:\w+ )?)[^\s"',}]{4,}/gi, replacement: `$1${hidden}` },
  { pattern: /\b(x-(?:vault|auth|gitea)-token["']?\s*[:=]\s*["']?)[^\s"',}]{4,}/gi, replacement: `$1${hidden}` },
  { pattern: /\b(bearer\s+)(?=[\w.~+/-]*\d)[\w.~+/-]{12,}=*/gi, replacement: `$1${hidden}` },
  // JSON, also JSON inside JSON: "password": "..."
  {
    pattern: new RegExp(String.raw`(\\*"${secretKey}\\*"\s*:\s*\\*")(?!\\*")[^"\\]+`, 'gi'),
    replacement: `$1${hidden}`,
  },
  // key=value as in the environment and in connection strings, with or without quotes.
  { pattern: new RegExp(String.raw`\b(${secretKey}=)("[^"]*"|'[^']*'|[^\s"'&,;]+)`, 'gi'), replacement: `$1${hidden}` },
  // --option value on a command line.
  { pattern: new RegExp(String.raw`(--${secretKey}\s+)([^\s-]\S*)`, 'gi'), replacement: `$1${hidden}` },
  // YAML: one key a line.
  {
    pattern: new RegExp(String.raw`^([ \t-]*${secretKey}:[ \t]+)(?![|>{[&*])(\S.*)$`, 'gim'),
    replacement: `$1${hidden}`,
  },
  // Well-known providers, should a real one ever come near the sandbox.
  { pattern: /\b(?:AKIA[A-Z0-9]{16}|AIza[\w-]{35}|ya29\.[\w-]{20,}|gh[pousr]_\w{30,})\b/g, replacement: hidden },
];

/** Takes known secrets and secret shapes out of texts and of whole values. */
export class Redactor {
  private readonly known = new Set<string>();
  private words: Words | undefined;

  /**
   * Makes a value known as secret, in the spellings in which it may turn up: itself, URL-encoded, JSON-escaped, base64.
   * Values of fewer than six characters are left to the shapes.
   */
  register(...secrets: readonly (string | undefined)[]): void {
    const before = this.known.size;
    for (const secret of secrets) {
      if (secret === undefined || secret.trim().length < shortestSecret) continue;
      const value = secret.trim();
      const base64 = Buffer.from(value).toString('base64');
      const escaped = JSON.stringify(value).slice(1, -1);
      for (const spelling of [
        value,
        escaped,
        JSON.stringify(escaped).slice(1, -1),
        encodeURIComponent(value),
        base64,
      ]) {
        this.known.add(spelling);
      }
      // A value of several lines (a key file) is also quoted in part.
      for (const line of value.split('\n')) if (line.length >= 32) this.known.add(line);
    }
    if (this.known.size > before) this.words = undefined;
  }

  /** The text without secrets. */
  text(text: string): string {
    let clean = this.known.size === 0 ? text : this.knownWords().replace(text, hidden);
    for (const { pattern, replacement } of shapes) clean = clean.replace(pattern, replacement);
    return clean;
  }

  /** A copy of a JSON-like value in which every text is without secrets. */
  value<T>(value: T): T {
    return this.copy(value) as T;
  }

  /** Known secrets that a text still holds, by how many: for the check after a run. */
  remaining(text: string): number {
    return this.known.size === 0 ? 0 : [...this.knownWords().in(text)].length;
  }

  private copy(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.copy(item));
    if (value !== null && typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.copy(item)]));
    }
    return value;
  }

  private knownWords(): Words {
    return (this.words ??= new Words(this.known));
  }
}

/** The run's redactor. Clients register what they lease here: `redactor.register(lease.password)`. */
export const redactor = new Redactor();
