"""Every step that both stores share, by concern; see `store/steps.py` for what a step is."""

from hookwright.store.account_steps import AccountSteps
from hookwright.store.audit_steps import AuditSteps
from hookwright.store.claim_steps import ClaimSteps
from hookwright.store.credential_steps import CredentialSteps
from hookwright.store.delivery_steps import DeliverySteps
from hookwright.store.lane_steps import LaneSteps
from hookwright.store.line_steps import LineSteps
from hookwright.store.listener_steps import ListenerSteps
from hookwright.store.matching_steps import MatchingSteps
from hookwright.store.overview_steps import OverviewSteps
from hookwright.store.replay_steps import ReplaySteps
from hookwright.store.retention_steps import RetentionSteps
from hookwright.store.sealed_steps import SealedSteps
from hookwright.store.search_steps import SearchSteps
from hookwright.store.session_steps import SessionSteps
from hookwright.store.tally_steps import TallySteps


class Records(
    AccountSteps,
    AuditSteps,
    CredentialSteps,
    ClaimSteps,
    DeliverySteps,
    LaneSteps,
    ListenerSteps,
    LineSteps,
    MatchingSteps,
    OverviewSteps,
    ReplaySteps,
    RetentionSteps,
    SealedSteps,
    SearchSteps,
    SessionSteps,
    TallySteps,
):
    """All that a store keeps, but for the steps whose SQL is each database's own: accept, settle and their like."""
