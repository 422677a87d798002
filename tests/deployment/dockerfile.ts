export interface Instruction {
  /** In capitals, such as `RUN`. */
  readonly name: string;
  /** What follows, continued lines joined. */
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  /** What Docker takes for settings of the parser: the comments of the form `# name=value` at the top. */
  readonly directives: readonly string[];
  readonly stages: readonly Stage[];
}

/** Stages with their instructions; here-documents are not known. */
export function parseDockerfile(text: string): Dockerfile {
  const directives = /^(?:#\s*\w+\s*=.*\n)*/.exec(text)?.[0].split('\n').filter(Boolean) ?? [];
  const joined = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n/g, ' ');
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const line of joined.split('\n').filter((each) => each.trim() !== '')) {
    const [, name = '', rest = ''] = /^\s*(\w+)\s+(.*)$/.exec(line) ?? [];
    const instruction = { name: name.toUpperCase(), text: rest.replaceAll(/\s+/g, ' ').trim() };
    const [, base, stage] = /^(?:--\S+ )*(\S+)(?: [Aa][Ss] (\S+))?$/.exec(instruction.text) ?? [];
    if (instruction.name === 'FROM' && base !== undefined) {
      stages.push({ name: stage ?? String(stages.length), base, instructions: [] });
    } else stages.at(-1)?.instructions.push(instruction);
  }
  return { directives, stages };
}

/** A stage with those of this file that it is made from, itself first. */
export function ancestryOf({ stages }: Dockerfile, stage: Stage): readonly Stage[] {
  const base = stages.find(({ name }) => name === stage.base);
  return base === undefined ? [stage] : [stage, ...ancestryOf({ directives: [], stages }, base)];
}

/** The text of every instruction of that name, in order. */
export const textsOf = (stage: Stage, name: string): readonly string[] =>
  stage.instructions.filter((each) => each.name === name).map(({ text }) => text);
