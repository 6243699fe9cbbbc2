/**
 * Each `NAME.Dockerfile` beside this file is a rule or some; `NAME.json` tells what the build was asked for, and which images there are;
 * `NAME.txt` is its plan, or what is wrong. Rewritten by `npm run golden`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { NamedContext } from '../../../src/engine/build/request.ts'
import type { ImageConfig } from '../../../src/engine/images/image.ts'
import { planned, type World } from '../../engine/build/dockerfile/planned.ts'
import { printBuildPlan, printFailure } from './print-build-plan.ts'

interface How {
  readonly args?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  readonly target?: string
  /** "local", or "docker-image://…". */
  readonly contexts?: Readonly<Record<string, string>>
  readonly images?: Readonly<Record<string, ImageConfig>>
  readonly ignored?: readonly string[]
  /** Once for every stage. */
  readonly each?: boolean
}

const folder = import.meta.dirname
const names = readdirSync(folder).flatMap(file => (file.endsWith('.Dockerfile') ? [file.replace(/\..*/, '')] : []))

for (const name of names) {
  test(`planBuild() of ${name}`, async t => {
    const text = readFileSync(join(folder, `${name}.Dockerfile`), 'utf8')
    const file = join(folder, `${name}.json`)
    const how: How = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
    const stages = how.each ? [...text.matchAll(/^FROM .* AS (\w+)$/gm)].map(match => match[1]!) : []
    const targets = stages.length > 0 ? [...stages, ''] : [how.target ?? '']
    const plans = targets.map(async target => {
      const plan = planned(text, { ...worldOf(how), target })
      const printed = await plan.then(printBuildPlan, printFailure)
      return targets.length > 1 ? `--target ${JSON.stringify(target)}\n${printed}` : printed
    })
    const shown = (await Promise.all(plans)).join('\n')
    t.assert.fileSnapshot(shown, join(folder, `${name}.txt`), { serializers: [value => value] })
  })
}

function worldOf({ args = {}, labels = {}, contexts = {}, images = {}, ignored = [] }: How): World {
  return {
    args: new Map(Object.entries(args)),
    labels: new Map(Object.entries(labels)),
    platform: 'linux/amd64',
    namedContexts: new Map(Object.entries(contexts).map(([key, value]) => [key, contextOf(key, value)])),
    images,
    ignored,
  }
}

function contextOf(name: string, value: string): NamedContext {
  return value === 'local'
    ? { kind: 'local', name }
    : { kind: 'image', reference: value.replace('docker-image://', '') }
}
