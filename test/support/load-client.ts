/** Somebody who asks a web server again and again: load-client.c. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** For compiled.ts. */
export const loadClientSource = fileURLToPath(new URL('load-client.c', import.meta.url))

export interface Load {
  readonly sent: number
  readonly answered: number
  /** Name of the error or status → how often. */
  readonly errors: Readonly<Record<string, number>>
  /** Body → how often. */
  readonly answers: Readonly<Record<string, number>>
  /** Milliseconds. */
  readonly median: number
  readonly p99: number
  readonly longest: number
}

export interface Asker {
  readonly process: ChildProcess
  /** Resolves when it has had an answer of this kind, or has ended. */
  answered(body: RegExp): Promise<void>
  end(): Promise<Load>
}

/** @param program load-client and its arguments, or what begins it elsewhere. */
export function asking(program: string, args: readonly string[]): Asker {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const { promise, resolve, reject } = Promise.withResolvers<Load>()
  const answers: string[] = []
  const waiting = new Set<() => void>()
  createInterface(child.stdout)
    .on('line', line => {
      const told = JSON.parse(line) as string | Load
      if (typeof told !== 'string') return resolve(told)
      answers.push(told)
      for (const look of waiting) look()
    })
    .on('close', () => reject(new Error(`${program} ${args.join(' ')} ended before it was told`)))
  return {
    process: child,
    answered(body) {
      const had = Promise.withResolvers<void>()
      const look = () => {
        if (answers.some(each => body.test(each))) had.resolve()
      }
      waiting.add(look)
      look()
      return Promise.race([had.promise, promise.then(() => {})]).finally(() => waiting.delete(look))
    },
    end() {
      child.stdin.end()
      return promise
    },
  }
}
