import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkDockerfile, outlineBuild, targetsOf } from '../../../../src/engine/build/dockerfile/inspect.ts'
import { Failure } from '../../../../src/lib/failure.ts'
import { imageOf, noLayout } from './planned.ts'

const request = {
  args: new Map<string, string>(),
  labels: new Map<string, string>(),
  target: '',
  platform: undefined,
  namedContexts: new Map(),
}
const lookup = {
  image: async (reference: string) => {
    if (reference !== 'base:1') throw new Failure('not-found', `No such image: ${reference}`)
    return imageOf(reference, {})
  },
  layout: noLayout,
  ignored: async () => [],
}

describe('checkDockerfile()', () => {
  const text = 'FROM base:1 AS unused\nCMD a\nFROM base:1 AS last\nLABEL a=$X\n'
  const rules = async (target: string) => {
    const { warnings } = await checkDockerfile(text, { ...request, target }, lookup)
    return warnings.map(({ rule, lines }) => `${rule}@${lines.first}`)
  }

  test('looks at stages that nothing needs too', async () => {
    assert.deepEqual(await rules(''), ['JSONArgsRecommended@2', 'UndefinedVar@4'])
  })

  test('looks at the target alone where there is one', async () => {
    assert.deepEqual(await rules('last'), ['UndefinedVar@4'])
  })

  test('tells what was found before an error, and the error', async () => {
    const { warnings, error } = await checkDockerfile('FROM base:1 as A\nENV B=${C?}\n', request, lookup)
    assert.deepEqual(
      warnings.map(({ rule }) => rule),
      ['StageNameCasing', 'FromAsCasing'],
    )
    assert.match(error?.message ?? '', /C: is not allowed to be unset/)
  })

  test('takes warnings for an error where the file says so', async () => {
    const { error } = await checkDockerfile('# check=error=true\nFROM base:1\nCMD a\n', request, lookup)
    assert.equal(error?.message, 'lint violation found for rules: JSONArgsRecommended')
  })
})

test('targetsOf() lists the stages as they are written, with the comments above them', () => {
  const text = 'ARG V\n# web is served\nFROM --platform=$P a:$V AS web\nFROM web\n'
  assert.deepEqual(targetsOf(text), [
    {
      name: 'web',
      isDefault: false,
      description: 'is served',
      base: 'a:$V',
      platform: '$P',
      lines: { first: 3, last: 3 },
    },
    {
      name: undefined,
      isDefault: true,
      description: undefined,
      base: 'web',
      platform: undefined,
      lines: { first: 4, last: 4 },
    },
  ])
})

describe('outlineBuild()', () => {
  const text = [
    '# TAG of the base',
    'ARG TAG=1',
    'ARG UNUSED=2 MODE=fast',
    'FROM base:$TAG AS tool',
    '# KEY to it',
    'ARG KEY=k',
    'FROM base:1 AS other',
    'ARG NEVER',
    'FROM base:$TAG AS last',
    'ARG MODE',
    'ARG OWN=$MODE TARGETARCH',
    'RUN --mount=type=secret,id=token,required --mount=type=ssh true',
    'RUN --mount=from=tool,target=/t --mount=type=secret,id=token true',
  ].join('\n')

  test('tells the arguments that count for the target, with their values and what stands above them', async () => {
    const { args } = await outlineBuild(text, { ...request, args: new Map([['KEY', 'given']]) }, lookup)
    assert.deepEqual(
      args.map(({ name, value, description, lines }) => [name, value, description, lines.first]),
      [
        ['TAG', '1', 'of the base', 2],
        ['MODE', 'fast', undefined, 3],
        ['KEY', 'given', 'to it', 6],
        ['OWN', 'fast', undefined, 11],
      ],
    )
  })

  test('tells secrets and agents once, where they are first used', async () => {
    const { name, secrets, ssh } = await outlineBuild(text, request, lookup)
    assert.equal(name, 'last')
    const lines = { first: 12, last: 12 }
    assert.deepEqual(secrets, [{ name: 'token', required: true, lines }])
    assert.deepEqual(ssh, [{ name: 'default', required: false, lines }])
  })
})
