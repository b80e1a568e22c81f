export interface Greeting {
  readonly text: string;
  readonly caller: string;
  readonly mls: boolean;
  readonly mood: string | undefined;
}
