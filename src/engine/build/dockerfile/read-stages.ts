/** The text of a Dockerfile → the ARGs before its first stage, and its stages, each a FROM and what follows. */
import type { ArgInstruction, FromInstruction, Instruction } from '../../dockerfile/instruction.ts'
import { type ParsedDockerfile, parseDockerfile, type Statement } from '../../dockerfile/parse.ts'
import { readInstruction } from '../../dockerfile/read-instruction.ts'
import { atLines, invalid, SourceFailure } from '../../dockerfile/source-failure.ts'
import type { Checks } from './checks.ts'

/** What may stand behind a FROM. */
export type StageInstruction = Exclude<Instruction, FromInstruction>

export interface WrittenStage {
  readonly from: FromInstruction
  readonly instructions: readonly StageInstruction[]
}

export interface WrittenDockerfile extends Pick<ParsedDockerfile, 'escapeSign'> {
  readonly args: readonly ArgInstruction[]
  readonly stages: readonly WrittenStage[]
}

/** @throws Failure `invalid` in BuildKit's words. */
export function readStages(text: string, checks: Checks): WrittenDockerfile {
  if (text === '') throw invalid('the Dockerfile cannot be empty')
  const { statements, escapeSign, emptyContinuations } = parseDockerfile(text)
  for (const lines of emptyContinuations) checks.report('NoEmptyContinuation', lines, 'Empty continuation line')
  const args: ArgInstruction[] = []
  const stages: { from: FromInstruction; instructions: StageInstruction[] }[] = []
  for (const statement of statements) {
    const instruction = read(statement)
    checkInstruction(instruction, checks)
    const stage = stages.at(-1)
    if (instruction.name === 'from') stages.push({ from: instruction, instructions: [] })
    else if (stage) stage.instructions.push(instruction)
    else if (instruction.name === 'arg') args.push(instruction)
    else throw new SourceFailure('no build stage in current context', instruction.lines)
  }
  if (stages.length === 0) throw invalid('dockerfile contains no stages to build')
  checkNames(stages, checks)
  checkCasing(stages, checks)
  return { args, stages, escapeSign }
}

function read(statement: Statement): Instruction {
  const { lines } = statement
  return atLines(lines, () => readInstruction(statement), `dockerfile parse error on line ${lines.first}: `)
}

/** An instruction that an image has for those built on it; it counts as standing at the lines of the FROM. */
export function readTrigger(text: string, { lines }: FromInstruction): StageInstruction {
  const { statements } = parseDockerfile(text)
  if (statements.length !== 1) throw invalid('onbuild trigger should be a single expression')
  const instruction = readInstruction({ ...statements[0]!, lines })
  if (instruction.name === 'from') throw invalid("FROM isn't allowed as an ONBUILD trigger")
  return instruction
}

function checkInstruction(instruction: Instruction, checks: Checks): void {
  const { lines } = instruction
  if (instruction.name === 'maintainer') {
    checks.report('MaintainerDeprecated', lines, 'Maintainer instruction is deprecated in favor of using label')
  }
  if (instruction.name === 'arg')
    checkDescription(
      'ARG',
      instruction.args.map(({ key }) => key),
      instruction,
      checks,
    )
  if (instruction.name !== 'from') return
  if (instruction.as) {
    const [as, name] = instruction.as
    if (name !== name.toLowerCase()) {
      checks.report('StageNameCasing', lines, `Stage name '${name}' should be lowercase`)
    }
    const { keyword } = instruction
    const cased = keyword === keyword.toLowerCase() ? as.toLowerCase() : as.toUpperCase()
    if (isOneCase(keyword) && as !== cased) {
      checks.report('FromAsCasing', lines, `'${as}' and '${keyword}' keywords' casing do not match`)
    }
    checkDescription('FROM', [instruction.stage!], instruction, checks)
  }
}

/** A comment right above begins with the name it tells of. */
function checkDescription(
  keyword: string,
  names: readonly string[],
  { comments, lines }: Instruction,
  checks: Checks,
): void {
  const comment = comments.at(-1)
  if (comment === undefined || names.includes(comment.split(' ')[0]!)) return
  const example = names.length > 1 ? '<arg_key>' : names[0]!
  const message = `Comment for ${keyword} should follow the format: \`# ${example} <description>\``
  checks.report('InvalidDefinitionDescription', lines, message)
}

function checkNames(stages: readonly WrittenStage[], checks: Checks): void {
  const seen = new Set<string>()
  for (const { from } of stages) {
    const name = from.stage
    if (name === undefined) continue
    if (name === 'context' || name === 'scratch') {
      const message = `Stage name should not use the same name as reserved stage "${name}"`
      checks.report('ReservedStageName', from.lines, message)
    }
    if (seen.has(name)) {
      const message = `Duplicate stage name "${name}", stage names should be unique`
      checks.report('DuplicateStageName', from.lines, message)
    }
    seen.add(name)
  }
}

const isOneCase = (word: string): boolean => word === word.toLowerCase() || word === word.toUpperCase()

/** Keywords are written as most of them are: all in upper case, or all in lower. */
function checkCasing(stages: readonly WrittenStage[], checks: Checks): void {
  const all = stages.flatMap(({ from, instructions }) => [from, ...instructions])
  const lower = all.filter(({ keyword }) => keyword === keyword.toLowerCase()).length
  const upper = all.filter(({ keyword }) => isOneCase(keyword) && keyword !== keyword.toLowerCase()).length
  const [cased, word] =
    lower > upper
      ? [(text: string) => text.toLowerCase(), 'lowercase']
      : [(text: string) => text.toUpperCase(), 'uppercase']
  for (const { keyword, lines } of all) {
    if (keyword === cased(keyword)) continue
    const message = `Command '${keyword}' should match the case of the command majority (${word})`
    checks.report('ConsistentInstructionCasing', lines, message)
  }
}
