/** Runs a program to its end and keeps what it said. */
import { spawn } from 'node:child_process'
import { patience } from './patience.ts'

export interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly input?: string | Buffer
  /** Milliseconds until it is killed and the test fails. */
  readonly timeout?: number
  /** When this settles it is interrupted (SIGINT). */
  readonly until?: Promise<unknown>
}

/** Resolves with exit code (128 + signal when killed by one) and output; rejects only when it cannot be started or does not end. */
export function command(program: string, args: readonly string[], options: CommandOptions = {}): Promise<Said> {
  const { promise, resolve, reject } = Promise.withResolvers<Said>()
  const timeout = (options.timeout ?? 60_000) * patience
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { TSCOMPOSE_WARM: '0', ...process.env, ...options.env },
    stdio: 'pipe',
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  const timer = setTimeout(() => {
    child.kill('SIGKILL')
    reject(
      new Error(
        `${program} ${args.join(' ')} did not end within ${timeout} ms\n${Buffer.concat(out)}${Buffer.concat(err)}`,
      ),
    )
  }, timeout)
  child.stdout.on('data', chunk => out.push(chunk))
  child.stderr.on('data', chunk => err.push(chunk))
  const interrupt = () => void child.kill('SIGINT')
  options.until?.then(interrupt, interrupt)
  // a program that ends without reading its input is no failure of the test
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  child.on('error', error => {
    clearTimeout(timer)
    reject(error)
  })
  child.on('close', (code, signal) => {
    clearTimeout(timer)
    resolve({
      code: code ?? 128 + (signal === 'SIGKILL' ? 9 : 15),
      stdout: String(Buffer.concat(out)),
      stderr: String(Buffer.concat(err)),
    })
  })
  return promise
}
