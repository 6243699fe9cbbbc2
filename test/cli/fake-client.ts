/** A Client that answers from a table and remembers what it was asked; the one thing these tests replace. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { ContainerSummary } from '../../src/api/containers.ts'
import type { Endpoint } from '../../src/api/endpoint.ts'
import { Interrupts } from '../../src/cli/interrupts.ts'
import { main, type World } from '../../src/cli/main.ts'
import type { Client } from '../../src/client/client.ts'
import { Failure } from '../../src/lib/failure.ts'

export interface Asked {
  readonly name: string
  readonly input: Record<string, unknown>
}

type Answers = Readonly<Record<string, (input: never) => unknown>>

export function fakeClient(answers: Answers): Client & { readonly asked: Asked[] } {
  const asked: Asked[] = []
  const answer = async (endpoint: Endpoint, input: object) => {
    asked.push({ name: endpoint.name, input: input as Record<string, unknown> })
    const found = answers[endpoint.name]
    if (!found) throw new Failure('unsupported', `${endpoint.name} is not implemented`)
    return found(input as never)
  }
  return {
    asked,
    host: 'unix:///fake.sock',
    version: async () => '1.51',
    call: answer,
    stream: answer,
    hijack: answer,
    close() {},
  } as unknown as Client & { readonly asked: Asked[] }
}

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Given {
  readonly client?: Client
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly stdin?: string
}

/** What commands keep of projects, for as long as this test file runs. */
const state = mkdtempSync(join(tmpdir(), 'tscompose-state-'))
process.on('exit', () => rmSync(state, { recursive: true, force: true }))

/** Runs a command line against a fake engine. */
export async function tscompose(
  argv: readonly string[],
  { client, env = {}, cwd = '/', stdin = '' }: Given = {},
): Promise<Outcome> {
  const written = { stdout: '', stderr: '' }
  const sink = (name: 'stdout' | 'stderr') => ({
    write(text: string | Uint8Array) {
      written[name] += typeof text === 'string' ? text : Buffer.from(text).toString('utf8')
      return true
    },
  })
  const input = new PassThrough()
  input.end(stdin)
  const world: World = {
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    stdin: input,
    stdinIsTTY: false,
    env: { TSCOMPOSE_STATE: state, ...env },
    cwd,
    interrupts: new Interrupts(),
    connect: async () => client ?? fakeClient({}),
  }
  return { code: await main(argv, world), ...written }
}

/** A running replica as a list shows it. */
export function summary(service: string, number: number, more: Partial<ContainerSummary> = {}): ContainerSummary {
  return {
    Id: `${service}${number}`.padEnd(64, '0'),
    Names: [`/shop-${service}-${number}`],
    Image: 'busybox:1',
    ImageID: `sha256:${'a'.repeat(64)}`,
    Command: 'sleep 1000',
    Created: Math.floor(Date.now() / 1000) - 90,
    Ports: [],
    Labels: {
      'com.docker.compose.project': 'shop',
      'com.docker.compose.service': service,
      'com.docker.compose.container-number': String(number),
      'com.docker.compose.oneoff': 'False',
    },
    State: 'running',
    Status: 'Up About a minute',
    HostConfig: { NetworkMode: 'shop_default' },
    NetworkSettings: { Networks: {} },
    Mounts: [],
    ...more,
  }
}

export async function* each<T>(...items: readonly T[]): AsyncGenerator<T> {
  yield* items
}
