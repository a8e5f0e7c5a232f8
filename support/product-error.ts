/** What a product of the sandbox answered when it refused or failed: the verdict, never retried. */
export class ProductError extends Error {
  constructor(
    /** "Vault", "Gitea", "Postgres" ... */
    readonly product: string,
    /** HTTP status, SQLSTATE or the product's own code. */
    readonly code: string,
    /** What was asked: a method and a path, or a statement's purpose. */
    readonly request: string,
    /** The product's own words. */
    readonly answer: string,
    cause?: unknown,
  ) {
    super(`${product} answered ${code} to ${request}: ${answer}`, cause === undefined ? undefined : { cause });
    this.name = 'ProductError';
  }
}

/** Whether a thrown thing is a product's answer with one of these codes. */
export function answered(thrown: unknown, ...codes: string[]): thrown is ProductError {
  return thrown instanceof ProductError && codes.includes(thrown.code);
}

const transportCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNABORTED',
  'EAI_AGAIN',
  'ERR_NETWORK',
]);

/** Whether the request never got an answer: only then may it be sent again. */
export function isTransportError(thrown: unknown): boolean {
  for (let error: unknown = thrown; error instanceof Error; error = error.cause) {
    const code: unknown = 'code' in error ? error.code : undefined;
    if (typeof code === 'string' && transportCodes.has(code)) return true;
  }
  return false;
}
