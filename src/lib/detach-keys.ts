/** `ctrl-p,ctrl-q`: the keys that leave a container to itself, found in what is typed. */
import { Failure } from './failure.ts'

/** As bytes; "" stands for ctrl-p,ctrl-q. @throws Failure invalid for what is no key, in docker's words */
export function parseDetachKeys(text: string): readonly number[] {
  return (text || 'ctrl-p,ctrl-q').split(',').map(key => {
    if (key.length === 1) return key.charCodeAt(0)
    const match = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)
    if (!match) throw new Failure('invalid', `Invalid escape keys (${text}) provided`)
    return match[1]!.toUpperCase().charCodeAt(0) & 0x1f
  })
}

/** Takes the keys out of what is typed; a beginning of them is held back until the next key, then passed on. */
export class DetachKeys {
  readonly #keys: readonly number[]
  #held: readonly number[] = []

  constructor(text = '') {
    this.#keys = parseDetachKeys(text)
  }

  push(piece: Uint8Array): { readonly pass: Uint8Array; readonly detach: boolean } {
    const pass: number[] = []
    for (const byte of piece) {
      let held = [...this.#held, byte]
      // what can be the beginning of the keys no longer is passed on, byte by byte
      while (held.some((each, i) => each !== this.#keys[i])) {
        pass.push(held[0]!)
        held = held.slice(1)
      }
      if (held.length === this.#keys.length) return { pass: Uint8Array.from(pass), detach: true }
      this.#held = held
    }
    return { pass: Uint8Array.from(pass), detach: false }
  }
}
