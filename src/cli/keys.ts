/**
 * The keyboard while an attached `up` goes on: `d` and ^P^Q leave the stack to itself. Keys come one by one only in raw mode, in
 * which the terminal sends no signals (termios(3), ISIG); so ^C, ^Z and ^\ are sent on from here.
 */
import { readFileSync } from 'node:fs'
import { DetachKeys } from '../lib/detach-keys.ts'
import type { Input } from './terminal.ts'

const signals: Readonly<Record<number, NodeJS.Signals>> = { 3: 'SIGINT', 26: 'SIGTSTP', 28: 'SIGQUIT' }
const detachKey = 'd'.charCodeAt(0)

/** process.stdin as it is listened to, or a stand-in. */
export interface Keyboard extends Input {
  on(event: 'data', listener: (data: Uint8Array) => void): unknown
  off(event: 'data', listener: (data: Uint8Array) => void): unknown
  pause(): unknown
  resume(): unknown
}

export interface KeyOptions {
  detach(): void
  /** Another key that writes something. */
  other?(key: string): void
  /** To all of the foreground, as the terminal does it: kill(2) of 0. */
  signal?(name: NodeJS.Signals): void
  /** Whether the terminal is ours to set up: elsewhere the kernel would stop us for it (SIGTTOU). */
  inForeground?(): boolean
}

/** Undefined for what is no terminal of ours, such as that of a job in the background. */
export function listenToKeys(
  stdin: Input,
  { detach, other, signal = name => process.kill(0, name), inForeground = isInForeground }: KeyOptions,
): Disposable | undefined {
  if (!isKeyboard(stdin) || !inForeground()) return undefined
  const keys = new DetachKeys()
  const hear = (data: Uint8Array): void => {
    if (keys.push(data).detach || data.includes(detachKey)) {
      detach()
      return
    }
    for (const byte of data) {
      const name = signals[byte]
      if (name === undefined) {
        if (byte > 0x20 && byte < 0x7f) other?.(String.fromCharCode(byte))
        continue
      }
      // whoever has the terminal while we are stopped finds it as it was
      if (name === 'SIGTSTP') release()
      signal(name)
    }
  }
  const take = (): void => {
    if (!inForeground()) return
    stdin.setRawMode(true)
    stdin.resume()
  }
  const release = (): void => {
    stdin.setRawMode(false)
    stdin.pause()
  }
  stdin.on('data', hear)
  take()
  process.on('SIGCONT', take)
  return {
    [Symbol.dispose]() {
      process.off('SIGCONT', take)
      stdin.off('data', hear)
      if (inForeground()) release()
    },
  }
}

function isKeyboard(stdin: Input): stdin is Keyboard & Required<Pick<Input, 'setRawMode'>> {
  return stdin.isTTY === true && stdin.setRawMode !== undefined && 'on' in stdin && 'pause' in stdin
}

/** Whether the terminal's foreground is our process group: proc_pid_stat(5), fields 5 and 8. */
function isInForeground(): boolean {
  try {
    const text = readFileSync('/proc/self/stat', 'latin1')
    const [, , group, , , foreground] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return group === foreground
  } catch {
    // no /proc here: a terminal is taken for ours
    return true
  }
}
