/** A composer to try: how its commands and its engine's are run in a folder with a stack of a few lines. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface Tool {
  readonly name: string
  /** What comes before a composer's words, and before an engine's: `docker compose`, `docker`. */
  readonly composer: readonly string[]
  readonly engine: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  /** stdout and stderr. */
  readonly text: string
}

/** A tool in a folder of its own, with a project of its own. */
export class Trial {
  readonly tool: Tool
  readonly folder: string
  readonly project: string

  constructor(tool: Tool, label: string) {
    this.tool = tool
    this.project = `compared-${label}`
    this.folder = mkdtempSync(join(tmpdir(), 'compared-'))
  }

  /** Replaces a file at once, as editors do. */
  write(name: string, text: string): void {
    const path = join(this.folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(`${path}.new`, text)
    renameSync(`${path}.new`, path)
  }

  compose(...words: string[]): Ran {
    return this.composeIn('.', ...words)
  }

  composeIn(folder: string, ...words: string[]): Ran {
    return run([...this.tool.composer, '-p', this.project, ...words], this.tool, join(this.folder, folder))
  }

  /** Ids of what runs for the project, in order. */
  ids(): readonly string[] {
    return this.#list('ps', '-q', '--no-trunc').sort()
  }

  inspect(id: string): Record<string, Record<string, unknown>> {
    return JSON.parse(this.engine('inspect', '--type', 'container', id).stdout)[0]
  }

  engine(...words: string[]): Ran {
    return run([...this.tool.engine, ...words], this.tool, this.folder)
  }

  /** How many of the requests that were sent while `work` ran had no answer, or another than 200. */
  async unanswered(port: number, work: () => Promise<unknown>): Promise<number> {
    let failed = 0
    let over = false
    const asking = (async () => {
      while (!over) {
        try {
          const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { Connection: 'close' } })
          await answer.arrayBuffer()
          if (answer.status !== 200) failed += 1
        } catch {
          failed += 1
        }
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    })()
    await work()
    over = true
    await asking
    return failed
  }

  /** As `compose`, while we go on. */
  async composing(...words: string[]): Promise<void> {
    const [program, ...args] = [...this.tool.composer, '-p', this.project, ...words]
    const env = { ...process.env, ...this.tool.env, PWD: this.folder }
    const options = { cwd: this.folder, env, stdio: 'ignore' as const }
    await new Promise(resolve => spawn(program!, args, options).on('close', resolve))
  }

  /** By the engine where the composer does not: for some it has to find a file first. */
  end(): void {
    this.compose('down', '-v', '-t', '0')
    const left = this.#list('ps', '-aq')
    if (left.length > 0) this.engine('rm', '-f', '-v', ...left)
    const networks = this.#list('network', 'ls', '-q')
    if (networks.length > 0) this.engine('network', 'rm', ...networks)
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Of the project, a line each. */
  #list(...words: readonly string[]): string[] {
    const filter = `label=com.docker.compose.project=${this.project}`
    return this.engine(...words, '--filter', filter)
      .stdout.split('\n')
      .filter(Boolean)
  }
}

function run([program, ...args]: readonly string[], { env }: Tool, cwd: string): Ran {
  const options = { cwd, env: { ...process.env, ...env, PWD: cwd }, encoding: 'utf8' as const, timeout: 120_000 }
  const { status, stdout, stderr } = spawnSync(program!, args, options)
  return { code: status, stdout: stdout ?? '', text: `${stdout ?? ''}${stderr ?? ''}` }
}
