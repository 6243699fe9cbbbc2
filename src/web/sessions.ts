/** Who may look: a token that is good once, exchanged for a session which a cookie names. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Milliseconds after which a session that nobody used has ended. */
const idle = 12 * 60 * 60 * 1000
/** More than anybody has browsers; beyond it the one unused longest ends. */
const most = 64

export class Sessions {
  readonly #now: () => number
  readonly #onToken: (token: string) => void
  #token: string
  /** sha256 of its id → when it was used last. */
  readonly #used = new Map<string, number>()

  /** `onToken` is told of each token, the first among them. */
  constructor({ now = Date.now, onToken }: { readonly now?: () => number; onToken(token: string): void }) {
    this.#now = now
    this.#onToken = onToken
    this.#token = secret()
    onToken(this.#token)
  }

  /** A new session for the token, which is another from then on; undefined for what is not the token. */
  exchange(token: string): string | undefined {
    if (!isSame(token, this.#token)) return undefined
    this.#token = secret()
    this.#onToken(this.#token)
    const id = secret()
    if (this.#used.size >= most) {
      const [oldest] = [...this.#used].sort(([, a], [, b]) => a - b)[0]!
      this.#used.delete(oldest)
    }
    this.#used.set(digest(id), this.#now())
    return id
  }

  knows(id: string | undefined): boolean {
    if (id === undefined) return false
    const key = digest(id)
    const used = this.#used.get(key)
    if (used === undefined) return false
    if (this.#now() - used > idle) {
      this.#used.delete(key)
      return false
    }
    this.#used.set(key, this.#now())
    return true
  }

  end(id: string): void {
    this.#used.delete(digest(id))
  }
}

function secret(): string {
  return randomBytes(24).toString('base64url')
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** In the same time whatever differs. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest())
}
