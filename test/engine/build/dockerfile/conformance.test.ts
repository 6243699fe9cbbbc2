/** The recorded builds of a real builder, as far as a plan tells them: configurations, warnings, errors of the Dockerfile itself. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { NamedContext } from '../../../../src/engine/build/request.ts'
import type { ImageConfig } from '../../../../src/engine/images/image.ts'
import { isFailure } from '../../../../src/lib/failure.ts'
import { shared } from '../../../support/needs.ts'
import { planned } from './planned.ts'

const folder = shared('conformance-build/cases')

interface Expected {
  readonly exit: number
  readonly config?: Readonly<Record<string, unknown>>
  readonly warnings?: readonly string[]
  readonly error_contains?: readonly string[]
}

interface Arguments {
  readonly build_args?: Readonly<Record<string, string | null>>
  readonly target?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly contexts?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly dockerfile?: string
}

const keys = [
  'Cmd',
  'Entrypoint',
  'Env',
  'ExposedPorts',
  'Healthcheck',
  'Labels',
  'OnBuild',
  'Shell',
  'StopSignal',
  'User',
  'Volumes',
  'WorkingDir',
]

/** Those whose error comes when files are read, or a command runs. */
const later = /^(?:add|copy|ignore|run|user|workdir|white|volume|from-missing|from-used|onbuild-copy|parse-dockerfile)/

/** Its Dockerfile is not there at all. */
const unreadable = new Set(['parse-dockerfile-missing'])

describe('planBuild() says what a real builder said', {
  skip: folder ? false : 'needs ../shared/conformance-build, which is not here',
}, () => {
  for (const name of folder ? readdirSync(folder).sort() : []) {
    if (unreadable.has(name)) continue
    test(name, async t => {
      const read = (file: string) => readFileSync(join(folder!, name, file), 'utf8')
      const expected: Expected = JSON.parse(read('expected.json'))
      const args: Arguments = existsSync(join(folder!, name, 'args.json')) ? JSON.parse(read('args.json')) : {}
      const own = existsSync(join(folder!, name, 'Dockerfile'))
      const plan = planned(read(own ? 'Dockerfile' : `context/${args.dockerfile}`), {
        args: new Map(
          Object.entries(args.build_args ?? {}).flatMap(([key, value]) => {
            const given = value ?? args.env?.[key]
            return given === undefined ? [] : [[key, given] as const]
          }),
        ),
        target: args.target ?? '',
        labels: new Map(Object.entries(args.labels ?? {})),
        namedContexts: new Map(Object.entries(args.contexts ?? {}).map(([key, value]) => [key, contextOf(value)])),
      })
      if (expected.exit !== 0) {
        const error = await plan.then(
          () => undefined,
          (reason: unknown) => reason,
        )
        if (error === undefined) {
          assert.match(name, later)
          t.diagnostic('its error comes later')
          return
        }
        assert.ok(isFailure(error))
        for (const part of expected.error_contains ?? []) {
          if (!later.test(name)) assert.ok(error.message.toLowerCase().includes(part.toLowerCase()), error.message)
        }
        return
      }
      const { target, warnings } = await plan
      assert.deepEqual(shown(target.config, target.author), expected.config)
      const found = new Set(warnings.map(({ rule, lines }) => `${rule} line ${lines.first}`))
      for (const warning of expected.warnings ?? []) assert.ok(found.has(warning), `${warning} of ${[...found]}`)
    })
  }
})

function contextOf(value: string): NamedContext {
  const image = /^docker-image:\/\/(.*)/.exec(value)?.[1]
  return image === undefined ? { kind: 'local', name: value } : { kind: 'image', reference: image }
}

/** As the recordings have it: what is empty is left out, sets are lists. */
function shown(config: ImageConfig, author: string | undefined): Record<string, unknown> {
  const entries = keys.flatMap(key => {
    const value: unknown = config[key]
    const isEmpty = value === '' || value === null || value === undefined || Object.keys(value).length === 0
    if (isEmpty) return []
    return [[key, key === 'ExposedPorts' || key === 'Volumes' ? Object.keys(value).sort() : value]]
  })
  return { ...Object.fromEntries(entries), ...(author && { Author: author }) }
}
