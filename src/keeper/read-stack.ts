/** Reads a stack again by the command line, as a process of its own: the keeper holds little and lives long, so what reads files is not loaded. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ReadAgain, StackRead } from '../api/keeper.ts'
import { passedOn } from '../holding/environment.ts'
import { Failure } from '../lib/failure.ts'

/** Milliseconds, and bytes of what it says. */
const patience = 60_000
const longest = 64 * 1024 * 1024

/** Variables that change what program runs, whoever asks for them. */
const programs = /^(NODE|LD|UV|SSL|OPENSSL)_/

/** @throws Failure `internal` when the reader says nothing that can be used */
export function readStack(again: ReadAgain, signal: AbortSignal): Promise<StackRead> {
  const { promise, resolve, reject } = Promise.withResolvers<StackRead>()
  const asked = Object.entries(again.environment).filter(([name]) => !programs.test(name))
  const reader = fileURLToPath(new URL('../cli/start.cjs', import.meta.url))
  const words = ['--disable-warning=ExperimentalWarning', reader, ...again.arguments, 'engine', 'read-stack']
  execFile(
    process.execPath,
    words,
    {
      cwd: again.directory,
      env: { ...passedOn(process.env), ...Object.fromEntries(asked) },
      maxBuffer: longest,
      timeout: patience,
      signal,
    },
    (cause, stdout, stderr) => {
      const said = cause ? undefined : parsed(stdout)
      if (said) resolve(said)
      else
        reject(
          new Failure(
            'internal',
            `Cannot read the stack again: ${stderr.trim().split('\n').at(-1) || 'nothing was said'}`,
            {
              cause,
            },
          ),
        )
    },
  )
  return promise
}

function parsed(text: string): StackRead | undefined {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch {
    // it was ended on the way
    return undefined
  }
  if (typeof data !== 'object' || data === null) return undefined
  const { files, error, project } = data as Readonly<Record<string, unknown>>
  if (!Array.isArray(files) || !files.every(each => typeof each === 'string')) return undefined
  if (typeof error === 'string') return { files, error }
  return project === undefined ? undefined : { files, project }
}
