/** Dockerfile instructions of `import --change` and `commit --change` to an image configuration. */
import { parseDockerfile } from '../dockerfile/parse.ts'
import { readInstruction } from '../dockerfile/read-instruction.ts'
import { atLines, invalid } from '../dockerfile/source-failure.ts'
import { expandWord } from '../dockerfile/words.ts'
import { applyToConfig, type ConfigInstruction, type ConfigState, nameOf } from './config-instruction.ts'
import type { ImageConfig } from './image.ts'

/** The others would need files, or say nothing to an image. */
const known = new Set<string>([
  'cmd',
  'entrypoint',
  'env',
  'expose',
  'healthcheck',
  'label',
  'onbuild',
  'stopsignal',
  'user',
  'volume',
  'workdir',
] satisfies readonly ConfigInstruction['name'][])

/** @throws Failure `invalid` naming the instruction. */
export function parseChanges(changes: readonly string[], base: ImageConfig = {}): ImageConfig {
  const state: ConfigState = { config: structuredClone(base), commandSet: false }
  const text = changes.join('\n')
  if (text.trim() === '') return state.config
  const { statements, escapeSign } = parseDockerfile(text)
  for (const statement of statements) {
    const { keyword, lines } = statement
    if (!known.has(keyword.toLowerCase())) throw invalid(`${keyword} is not a valid change command`)
    const instruction = atLines(lines, () => readInstruction(statement)) as ConfigInstruction
    const expand = (word: string) => expandWord(word, name => variable(state.config, name), { escapeSign })
    applyToConfig(state, instruction, { word: word => expand(word).text, words: word => expand(word).words })
  }
  return state.config
}

function variable({ Env }: ImageConfig, name: string): string | undefined {
  const found = Env?.find(each => nameOf(each) === name)
  return found?.slice(name.length + 1)
}
