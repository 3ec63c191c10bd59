package dev.tuna.testkit.aws;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Launch templates and their versions. Stateless. */
final class TemplateActions {

    private static final int MOST_VERSIONS = 10_000;
    private static final int MOST_TEMPLATES = 5000;
    private static final Set<String> TAGGED = Set.of("launch-template");

    private TemplateActions() {}

    static void addTo(Map<String, Ec2Call.Action> actions) {
        actions.put("CreateLaunchTemplate", TemplateActions::create);
        actions.put("CreateLaunchTemplateVersion", TemplateActions::createVersion);
        actions.put("ModifyLaunchTemplate", TemplateActions::modify);
        actions.put("DescribeLaunchTemplates", TemplateActions::describe);
        actions.put("DescribeLaunchTemplateVersions", TemplateActions::describeVersions);
        actions.put("DeleteLaunchTemplate", TemplateActions::delete);
        actions.put("DeleteLaunchTemplateVersions", TemplateActions::deleteVersions);
    }

    private static void create(Ec2Call call, Xml out) {
        String name = call.form().require("LaunchTemplateName");
        if (!name.matches("[a-zA-Z0-9().\\-/_]{3,128}")) {
            throw AwsError.bad(
                    "InvalidLaunchTemplateName.MalformedException",
                    "The launch template name '" + name + "' is not valid.");
        }
        Form data = data(call.form());
        Map<String, String> tags = call.tags("launch-template", TAGGED);
        Optional<LaunchTemplate> before = call.region()
                .tokens()
                .recall("CreateLaunchTemplate", call.form())
                .map(call.region().templates()::get);
        if (before.isEmpty()) {
            if (call.region().templates().values().stream()
                    .anyMatch(each -> each.name().equals(name))) {
                throw AwsError.bad(
                        "InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.");
            }
            if (call.region().templates().size() >= MOST_TEMPLATES) {
                throw AwsError.bad(
                        "LaunchTemplateLimitExceeded",
                        "You have reached your quota of maximum launch templates allowed.");
            }
            call.commit();
            LaunchTemplate made = new LaunchTemplate(call.account().ids().next("lt"), name, call.now(), tags);
            made.add(call.form().text("VersionDescription").orElse(""), call.now(), data);
            call.region().templates().put(made.id(), made);
            call.account().made(made.id());
            call.region().tokens().remember("CreateLaunchTemplate", call.form(), made.id());
            before = Optional.of(made);
        }
        call.commit();
        LaunchTemplate template = before.get();
        out.in("launchTemplate", item -> write(item, template));
    }

    private static Form data(Form form) {
        Form data = form.part("LaunchTemplateData");
        if (data.isEmpty()) {
            throw AwsError.missing("LaunchTemplateData");
        }
        checkData(data);
        return Form.of(data.flat());
    }

    private static void checkData(Form data) {
        Launcher.checkUserData(data);
        data.parts("TagSpecification").forEach(specification -> {
            String kind = specification.require("ResourceType");
            if (!Launcher.TAGGED.contains(kind)) {
                throw AwsError.invalid("'" + kind + "' is not a valid taggable resource type for this operation.");
            }
            SpecTags.read(specification);
        });
        if (!data.parts("NetworkInterface").isEmpty()
                && !data.texts("SecurityGroupId").isEmpty()) {
            throw AwsError.bad(
                    "InvalidParameterCombination",
                    "Network interfaces and an instance-level security groups may not be specified on the same request");
        }
    }

    private static void createVersion(Ec2Call call, Xml out) {
        LaunchTemplate template = find(call);
        Form given = data(call.form());
        Form data = call.form()
                .text("SourceVersion")
                .map(source -> version(call, template, source).data().overlaid(given))
                .orElse(given);
        Optional<String> before = call.region().tokens().recall("CreateLaunchTemplateVersion", call.form());
        if (before.isEmpty() && template.versions().size() >= MOST_VERSIONS) {
            throw AwsError.bad(
                    "VersionLimitExceeded",
                    "You have reached your quota of " + MOST_VERSIONS + " versions per template.");
        }
        call.commit();
        LaunchTemplate.Version version = before.flatMap(template::version).orElseGet(() -> {
            LaunchTemplate.Version made =
                    template.add(call.form().text("VersionDescription").orElse(""), call.now(), data);
            call.region().tokens().remember("CreateLaunchTemplateVersion", call.form(), String.valueOf(made.number()));
            call.account().made(template.id() + "/" + made.number());
            return made;
        });
        out.in("launchTemplateVersion", item -> write(item, template, version));
    }

    private static void modify(Ec2Call call, Xml out) {
        LaunchTemplate template = find(call);
        LaunchTemplate.Version version = version(call, template, call.form().require("SetDefaultVersion"));
        call.commit();
        template.makeDefault(version.number());
        out.in("launchTemplate", item -> write(item, template));
    }

    private static void describe(Ec2Call call, Xml out) {
        List<String> ids = call.form().texts("LaunchTemplateId");
        List<String> names = call.form().texts("LaunchTemplateName");
        ids.forEach(id -> byId(call, id));
        names.forEach(name -> byName(call, name));
        List<LaunchTemplate> templates = call.region().templates().values().stream()
                .filter(each -> ids.isEmpty() || ids.contains(each.id()))
                .filter(each -> names.isEmpty() || names.contains(each.name()))
                .filter(each -> call.filters().match(each.tags(), name -> switch (name) {
                    case "launch-template-name" -> List.of(each.name());
                    case "create-time" -> List.of(Xml.time(each.made()));
                    default -> throw Filters.unknown(name);
                }))
                .filter(each -> !call.account().hides(each.id()))
                .toList();
        out.list("launchTemplates", call.page(templates, 1, 200, out), TemplateActions::write);
    }

    private static void describeVersions(Ec2Call call, Xml out) {
        LaunchTemplate template = find(call);
        List<String> wanted = call.form().texts("LaunchTemplateVersion");
        List<LaunchTemplate.Version> versions = new ArrayList<>();
        if (wanted.isEmpty()) {
            versions.addAll(template.versions().descendingMap().values());
        }
        wanted.forEach(which -> versions.add(version(call, template, which)));
        out.list(
                "launchTemplateVersionSet",
                call.page(versions, 1, 200, out),
                (item, version) -> write(item, template, version));
    }

    private static void delete(Ec2Call call, Xml out) {
        LaunchTemplate template = find(call);
        call.commit();
        call.region().templates().remove(template.id());
        out.in("launchTemplate", item -> write(item, template));
    }

    private static void deleteVersions(Ec2Call call, Xml out) {
        LaunchTemplate template = find(call);
        List<String> wanted = call.form().texts("LaunchTemplateVersion");
        if (wanted.isEmpty()) {
            throw AwsError.missing("LaunchTemplateVersion");
        }
        if (wanted.contains(String.valueOf(template.defaultVersion()))) {
            throw AwsError.bad("OperationNotPermitted", "You may not delete the default version of a launch template.");
        }
        call.commit();
        List<String> gone = wanted.stream()
                .filter(which -> template.version(which)
                        .map(version -> template.versions().remove(version.number()) != null)
                        .orElse(false))
                .toList();
        List<String> unknown =
                wanted.stream().filter(which -> !gone.contains(which)).toList();
        out.list(
                "successfullyDeletedLaunchTemplateVersionSet",
                gone,
                (item, which) -> item.put("launchTemplateId", template.id())
                        .put("launchTemplateName", template.name())
                        .put("versionNumber", which));
        out.list(
                "unsuccessfullyDeletedLaunchTemplateVersionSet",
                unknown,
                (item, which) -> item.put("launchTemplateId", template.id())
                        .put("launchTemplateName", template.name())
                        .put("versionNumber", which)
                        .in(
                                "responseError",
                                error -> error.put("code", "launchTemplateVersionDoesNotExist")
                                        .put("message", "The version does not exist")));
    }

    /** The template that a call or a fleet's configuration names. */
    static LaunchTemplate find(Ec2Call call, Form form) {
        Optional<String> id = form.text("LaunchTemplateId");
        Optional<String> name = form.text("LaunchTemplateName");
        if (id.isPresent() == name.isPresent()) {
            throw AwsError.bad(
                    id.isPresent() ? "InvalidParameterCombination" : "MissingParameter",
                    "Specify either the launch template ID or the launch template name, but not both.");
        }
        return id.isPresent() ? byId(call, id.get()) : named(call, name.orElseThrow());
    }

    private static LaunchTemplate find(Ec2Call call) {
        return find(call, call.form());
    }

    private static LaunchTemplate byId(Ec2Call call, String id) {
        return Optional.ofNullable(call.region().templates().get(id))
                .filter(template -> !call.account().hides(id))
                .orElseThrow(() -> unknownId(id));
    }

    private static AwsError unknownId(String id) {
        return AwsError.bad(
                id.matches("lt-[0-9a-f]{17}")
                        ? "InvalidLaunchTemplateId.NotFound"
                        : "InvalidLaunchTemplateId.Malformed",
                "The specified launch template, with template ID " + id + ", does not exist.");
    }

    private static LaunchTemplate byName(Ec2Call call, String name) {
        return named(call, name);
    }

    private static LaunchTemplate named(Ec2Call call, String name) {
        return call.region().templates().values().stream()
                .filter(each -> each.name().equals(name) && !call.account().hides(each.id()))
                .findFirst()
                .orElseThrow(() -> AwsError.bad(
                        "InvalidLaunchTemplateName.NotFoundException",
                        "The specified launch template, with template name " + name + ", does not exist."));
    }

    static LaunchTemplate.Version version(Ec2Call call, LaunchTemplate template, String which) {
        return template.version(which)
                .filter(version -> !call.account().hides(template.id() + "/" + version.number()))
                .orElseThrow(() -> AwsError.bad(
                        "InvalidLaunchTemplateId.VersionNotFound",
                        "Could not find the specified version %s for the launch template with ID %s."
                                .formatted(which, template.id())));
    }

    private static void write(Xml item, LaunchTemplate template) {
        item.put("launchTemplateId", template.id())
                .put("launchTemplateName", template.name())
                .put("createTime", template.made())
                .put("createdBy", "arn:aws:iam::" + AwsAccount.ID + ":user/tuna")
                .put("defaultVersionNumber", template.defaultVersion())
                .put("latestVersionNumber", template.versions().lastKey())
                .tags(template.tags());
    }

    private static void write(Xml item, LaunchTemplate template, LaunchTemplate.Version version) {
        item.put("launchTemplateId", template.id())
                .put("launchTemplateName", template.name())
                .put("versionNumber", version.number());
        if (!version.description().isEmpty()) {
            item.put("versionDescription", version.description());
        }
        item.put("createTime", version.made())
                .put("createdBy", "arn:aws:iam::" + AwsAccount.ID + ":user/tuna")
                .put("defaultVersion", version.number() == template.defaultVersion())
                .in("launchTemplateData", data -> echo(data, version.data().flat()));
    }

    /**
     * Writes parameters as the elements of an answer: names begin in lower case, lists end in {@code Set}. Only the groups of
     * a network interface are called otherwise.
     */
    private static void echo(Xml out, Map<String, String> flat) {
        Map<String, Map<String, String>> parts = new TreeMap<>();
        flat.forEach((name, value) -> {
            int dot = name.indexOf('.');
            String top = dot < 0 ? name : name.substring(0, dot);
            parts.computeIfAbsent(top, made -> new TreeMap<>()).put(dot < 0 ? "" : name.substring(dot + 1), value);
        });
        parts.forEach((name, inside) -> {
            String element = name.substring(0, 1).toLowerCase(Locale.ROOT) + name.substring(1);
            if (inside.containsKey("")) {
                out.put(element, inside.get(""));
            } else if (inside.keySet().iterator().next().matches("\\d+(\\..*)?")) {
                boolean card = flat.containsKey("DeviceIndex") && name.equals("SecurityGroupId");
                out.in(card ? "groupSet" : element + "Set", list -> items(list, inside, card ? "groupId" : "item"));
            } else {
                out.in(element, part -> echo(part, inside));
            }
        });
    }

    private static void items(Xml list, Map<String, String> flat, String element) {
        Map<Integer, Map<String, String>> items = new TreeMap<>();
        flat.forEach((name, value) -> {
            String[] parts = name.split("\\.", 2);
            items.computeIfAbsent(Integer.valueOf(parts[0]), made -> new TreeMap<>())
                    .put(parts.length == 1 ? "" : parts[1], value);
        });
        items.values().forEach(item -> {
            if (item.containsKey("")) {
                list.put(element, item.get(""));
            } else {
                list.in(element, part -> echo(part, item));
            }
        });
    }
}
