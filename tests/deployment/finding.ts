/** Something in the files that deploy the shop that breaks a rule. */
export interface Finding {
  readonly rule: string;
  /** The service, the stage, the variable or the line that breaks it. */
  readonly where: string;
}
