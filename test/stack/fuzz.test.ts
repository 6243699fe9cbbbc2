import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../src/lib/failure.ts'
import { configJson } from '../../src/stack/config-output.ts'
import { loadFiles } from './stacks.ts'

const seed = Number(process.env['FUZZ_SEED'] ?? 20261122)
const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 250)

const base = `
x-common: &common
  restart: always
  logging: {driver: json-file, options: {max-size: 10m}}
services:
  web:
    <<: *common
    image: "nginx:\${TAG:-latest}"
    ports: ["8080:80", {target: 90, published: "90"}]
    volumes: ["data:/data:ro", "./a:/b", {type: tmpfs, target: /t, tmpfs: {size: 1m}}]
    environment: {A: "1", B: null}
    healthcheck: {test: [CMD, "true"], interval: 1m30s}
    deploy: {replicas: 1, resources: {limits: {cpus: "0.5", memory: 64m}}}
    depends_on: {db: {condition: service_healthy}}
  db:
    extends: {service: base}
    networks: {default: {aliases: [database]}}
  base: {image: postgres, command: "postgres -c x=y", ulimits: {nofile: {soft: 1, hard: 2}}}
networks: {default: {ipam: {config: [{subnet: 10.0.0.0/24}]}}}
volumes: {data: {external: true}}
`

const pieces = [
  '{',
  '}',
  '[',
  ']',
  ':',
  '- ',
  '&a ',
  '*a',
  '!reset ',
  '!override ',
  '"',
  "'",
  '${',
  '}',
  '$$',
  '\n',
  '  ',
  '#',
  '|',
  '>',
  '<<: ',
  '0',
  '-1',
  '1e999',
  'null',
  '~',
  'true',
  '2024-01-01',
  '\t',
  '@',
  '`',
  '%',
  'é',
  '😀',
  '__proto__',
  'x-y: ',
  '? ',
  '---\n',
  '"80:80"',
  '0x',
  ',,',
]

/** mulberry32: the same seed gives the same stacks. */
function random(state: number): () => number {
  let at = state
  return () => {
    at = (at + 0x6d2b79f5) | 0
    let t = Math.imul(at ^ (at >>> 15), 1 | at)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

test(`loadStack() either loads or fails with a Failure, whatever the file (seed ${seed}, ${rounds} rounds)`, async () => {
  const next = random(seed)
  const pick = (n: number) => Math.floor(next() * n)
  for (let round = 0; round < rounds; round++) {
    let text = base
    for (let edits = 1 + pick(4); edits > 0; edits--) {
      const start = pick(text.length)
      const kind = pick(4)
      if (kind === 0) text = text.slice(0, start) + text.slice(start + 1 + pick(12))
      else if (kind === 1) text = text.slice(0, start) + pieces[pick(pieces.length)] + text.slice(start)
      else if (kind === 2) text = text.slice(0, start) + pieces[pick(pieces.length)] + text.slice(start + 1 + pick(6))
      else {
        const from = pick(text.length)
        text = text.slice(0, start) + text.slice(from, from + pick(40)) + text.slice(start)
      }
    }
    const began = performance.now()
    try {
      configJson(await loadFiles({ 'compose.yaml': text }))
    } catch (error) {
      assert.ok(
        error instanceof Failure && error.kind !== 'internal',
        `round ${round}: ${error instanceof Error ? error.stack : error}\n${text}`,
      )
    }
    assert.ok(performance.now() - began < 2000, `round ${round} took too long:\n${text}`)
  }
})
